"""What a receiver of webhooks is started with.

Belongs here: the values and their defaults. Variables of the environment are read by
`from_environment` and nowhere else in this room.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from urllib.parse import urlsplit

from resources.kafka.settings import KafkaSettings
from resources.settings.home import Home
from resources.web.requests import LOOPBACK_NAMES

PORT = 8090
HOST = "127.0.0.1"
PUBLIC_URL = "SOCIAL_ASSETS_WEBHOOKS_URL"
"""Environment variable: where the platforms find the receiver, as https://hooks.example.com."""


class WebhookSettingsError(ValueError):
    """A setting that cannot be used; the text names it."""


@dataclass(frozen=True)
class WebhookSettings:
    """Where the receiver listens, by which names it is asked, and where events are stored."""

    home: Home
    host: str = HOST
    port: int = PORT
    public_url: str | None = None
    kafka: KafkaSettings | None = None
    """None: events are stored in files of the landing folder."""
    most_body_bytes: int = 4 * 2**20
    body_seconds: float = 10.0
    """How long the body of a request may take to arrive."""
    most_waiting_bytes: int = 64 * 2**20
    """Bodies that are being read or stored at one time; above it, deliveries are put off."""
    seal_seconds: float = 10.0
    """How long a file in landing is written to before it can be loaded."""

    @classmethod
    def from_environment(cls, home: Home, host: str = HOST, port: int = PORT) -> WebhookSettings:
        """The settings of a home. Raises WebhookSettingsError, KafkaSettingsError."""
        return cls(
            home, host, port, public_url=public_url(), kafka=KafkaSettings.from_environment()
        )

    @property
    def names(self) -> frozenset[str]:
        """The host names by which the receiver may be asked."""
        named = urlsplit(self.public_url or "").hostname
        return LOOPBACK_NAMES | ({named} if named else set())


def public_url(given: str | None = None) -> str | None:
    """The public base URL without a slash at its end: the one given, else the setting's; None
    without one. Raises WebhookSettingsError.
    """
    url = (given or os.environ.get(PUBLIC_URL, "")).strip().rstrip("/")
    if not url:
        return None
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme == "https" and bool(parts.hostname)
        is_plain = not (parts.query or parts.fragment or parts.username or parts.password)
    except ValueError:
        is_usable = is_plain = False
    if not is_usable or not is_plain:
        raise WebhookSettingsError(
            f"the public URL of webhooks must read https://host/path, without a user or a query; "
            f"correct {PUBLIC_URL} or the option"
        )
    return url
