"""The secrets of webhooks as they are stored now, read again every few seconds.

Belongs here: reading them without holding up a request, so that a new secret needs no restart.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from social_assets.control.collection.webhook_secrets import WebhookSecrets, WebhookSecretStore
from social_assets.ingest.webhooks.registry import WEBHOOKS

_log = logging.getLogger(__name__)

_SECONDS = 10.0


class SecretsInForce:
    """The secrets by platform."""

    def __init__(self, store: WebhookSecretStore) -> None:
        self._store = store
        self._known: Mapping[str, WebhookSecrets] = {}

    def of(self, platform: str) -> WebhookSecrets | None:
        """The secrets of a platform; None if none are stored."""
        return self._known.get(platform)

    def read(self) -> None:
        """Read them now. Raises ControlStoreError, SecretKeyError, SecretTamperedError."""
        found = {each.platform: self._store.of(each.platform) for each in WEBHOOKS}
        self._known = {name: each for name, each in found.items() if each is not None}

    async def keep_reading(self) -> None:
        """Read them again and again. If that fails, those from before stay in force."""
        while True:
            await asyncio.sleep(_SECONDS)
            try:
                await asyncio.to_thread(self.read)
            except Exception:  # noqa: BLE001 - whatever it is, deliveries go on
                _log.exception("secrets of webhooks cannot be read; those from before stay")
