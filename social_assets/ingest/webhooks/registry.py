"""The webhooks that there are, by platform."""

from __future__ import annotations

from social_assets.ingest.webhooks.meta import FACEBOOK, INSTAGRAM
from social_assets.ingest.webhooks.tiktok import TIKTOK
from social_assets.ingest.webhooks.webhook import Webhook
from social_assets.ingest.webhooks.x import X
from social_assets.ingest.webhooks.youtube import YOUTUBE

WEBHOOKS: tuple[Webhook, ...] = (FACEBOOK, INSTAGRAM, TIKTOK, X, YOUTUBE)


class UnknownWebhookError(LookupError):
    """No platform of that name sends webhooks."""


def webhook_of(platform: str) -> Webhook:
    """The webhook of a platform; upper and lower case do not matter. Raises UnknownWebhookError."""
    for each in WEBHOOKS:
        if each.platform.casefold() == platform.casefold():
            return each
    known = ", ".join(each.platform for each in WEBHOOKS)
    raise UnknownWebhookError(f"no platform {platform!r} sends webhooks; those that do are {known}")
