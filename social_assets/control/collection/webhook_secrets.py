"""Secrets of webhooks: what a platform signs with, and the token by which it verifies a URL.

Belongs here: their names in `encrypted_secrets`. Values are in no message, no log and no `repr`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine

from resources.settings.home import Home
from social_assets.control.errors import UnknownSecretError
from social_assets.control.schema import now
from social_assets.control.secrets.encrypted_secrets import EncryptedSecrets

SHORTEST_TOKEN = 16
"""Characters of a verify token, which must not be guessed."""


@dataclass(frozen=True, slots=True)
class WebhookSecrets:
    """The secrets of one platform's webhook."""

    secret: bytes = field(repr=False)
    verify_token: str | None = field(default=None, repr=False)


class WebhookSecretStore:
    """The repository of the secrets of webhooks, by platform."""

    def __init__(self, engine: Engine, home: Home, clock: Callable[[], datetime] = now) -> None:
        self._secrets = EncryptedSecrets(engine, home, clock)

    def put_secret(self, platform: str, value: str) -> None:
        """Store what the platform signs with. Raises ValueError, SecretKeyError."""
        if not value:
            raise ValueError("the secret is empty; give the one that the platform shows")
        self._secrets.put(_name(platform, "secret"), value)

    def put_verify_token(self, platform: str, value: str) -> None:
        """Store the verify token. Raises ValueError, SecretKeyError."""
        if len(value) < SHORTEST_TOKEN:
            raise ValueError(
                f"the verify token has {len(value)} characters; make up one of {SHORTEST_TOKEN} or "
                "more, and give the same to the platform"
            )
        self._secrets.put(_name(platform, "verify-token"), value)

    def of(self, platform: str) -> WebhookSecrets | None:
        """The secrets of a platform as they are now; None without the one that it signs with.

        Raises SecretKeyError, SecretTamperedError, ControlStoreError.
        """
        secret = self._value(platform, "secret")
        if secret is None:
            return None
        return WebhookSecrets(secret.encode(), self._value(platform, "verify-token"))

    def stored(self, platform: str) -> tuple[bool, bool]:
        """Whether a secret is stored, and whether a verify token. Needs no key."""
        names = {each.name for each in self._secrets.list()}
        return _name(platform, "secret") in names, _name(platform, "verify-token") in names

    def _value(self, platform: str, what: str) -> str | None:
        with suppress(UnknownSecretError):
            return self._secrets.get(_name(platform, what)).value
        return None


def _name(platform: str, what: str) -> str:
    return f"webhook/{platform.lower()}/{what}"
