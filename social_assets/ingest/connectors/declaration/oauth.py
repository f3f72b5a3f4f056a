"""How a platform authenticates calls and renews tokens, as declarations.

Belongs here: the values. The requests that renew tokens belong to `refresh`; the tokens themselves
to `control.collection`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class RefreshToken:
    """OAuth 2.0: a refresh token gives a new access token.

    If it `rotates`, the answer has a new refresh token, and the old one stops working; else the old
    one is kept. `client_id` names the parameter (TikTok: client_key); with `is_basic`, id and
    secret of the client go into the header instead.
    """

    url: str
    rotates: bool
    client_id: str = "client_id"
    is_basic: bool = False
    refusal: str = "^(invalid_grant|unauthorized_client|invalid_client):"
    """What an error says, as `error: error_description`, if no later attempt can succeed."""
    early: timedelta = timedelta(minutes=30)
    """Refresh so long before the end: an access token that still works covers a failed refresh."""


@dataclass(frozen=True)
class TokenRenewal:
    """The long-lived token itself is renewed (Instagram) or exchanged (Facebook), by GET.

    `token` names the parameter of the old token. Only a token older than `youngest` is renewed.
    `with_client` sends id and secret of the app too.
    """

    url: str
    grant: str
    token: str
    with_client: bool = False
    youngest: timedelta = timedelta(hours=24)
    early: timedelta = timedelta(days=20)
    lasts: timedelta | None = None
    """How long a token lasts that was entered without its end; None: it has no end."""


@dataclass(frozen=True)
class StaticToken:
    """The token has no end, or is replaced by hand."""


OAuth = RefreshToken | TokenRenewal | StaticToken
