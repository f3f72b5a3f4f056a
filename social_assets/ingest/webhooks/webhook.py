"""How the webhook of a platform is declared, and what comes out of a delivery.

Belongs here: the types that the platforms' modules and the receiver share. HTTP belongs to
`serving.webhooks`; how a delivery is made durable belongs there too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from social_assets.control.collection.webhook_secrets import WebhookSecrets

Headers = Sequence[tuple[bytes, bytes]]
"""Names in lower case, and values, as ASGI has them."""

Query = Mapping[str, str]


class SignatureMissingError(ValueError):
    """A delivery has no signature, or one that cannot be read."""


class SignatureWrongError(ValueError):
    """A delivery is not signed with the platform's secret, or too old; the text says which."""


class ChallengeRefusedError(ValueError):
    """A verification request is not for a subscription of ours."""


class DeliveryUnreadableError(ValueError):
    """The body of a signed delivery is no JSON, or no feed."""


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """One event of a delivery: the stream that it belongs to, and its record.

    A delivery that comes again gives the same keys, so that its rows are duplicates.
    """

    stream: str
    value: bytes


@dataclass(frozen=True, slots=True)
class ChallengeAnswer:
    """What a verification request is answered with."""

    body: bytes
    media: bytes = b"text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Webhook:
    """What a platform's webhook does.

    `answer` answers a verification request, or raises ChallengeRefusedError; None where the
    platform has none. `check` raises SignatureMissingError or SignatureWrongError; it is given the
    secret, and the time in Unix seconds. `events` cuts a checked body, with the time of arrival, or
    raises DeliveryUnreadableError. `secret_is` says what the platform calls the secret.
    """

    platform: str
    answer: Callable[[Query, WebhookSecrets], ChallengeAnswer] | None
    check: Callable[[Headers, bytes, bytes, float], None]
    events: Callable[[bytes, datetime], list[WebhookEvent]]
    secret_is: str
    has_verify_token: bool

    @property
    def path(self) -> str:
        """The path of its URL."""
        return f"/webhooks/{self.platform.lower()}"
