"""What can stop a chain of pages. Each text names platform, account, endpoint and the remedy.

Belongs here: only the classes. No text holds a token or an address with its query.
"""

from __future__ import annotations

from datetime import datetime

from social_assets.control.accounts import Account
from social_assets.ingest.connectors.chain import ChainEnd, ChainStart


class ConnectorDeclarationError(ValueError):
    """A connector cannot be read or run as it is declared; the text says where."""


class CollectionError(RuntimeError):
    """A chain stopped before its end. Pages that came before it are good.

    `end` tells how to go on: the old `since`, and the cursor of the next page.
    """

    def __init__(self, start: ChainStart, found: str, remedy: str) -> None:
        about = f" of {start.parent_id}" if start.parent_id else ""
        super().__init__(f"{start.account}, {start.endpoint}{about}: {found}; {remedy}")
        self.platform = start.account.platform
        self.account: Account = start.account
        self.endpoint = start.endpoint
        self.found = found
        self.remedy = remedy
        self.end = ChainEnd(start.since, start.resume, is_complete=False)


class ThrottledError(CollectionError):
    """No call is possible before `until`: the limit of a credential or an app is reached."""

    def __init__(self, start: ChainStart, found: str, until: datetime) -> None:
        super().__init__(start, found, f"calls go on at {until:%Y-%m-%dT%H:%M:%SZ}")
        self.until = until


class QuotaExhaustedError(CollectionError):
    """A budget of a day or month, or of money, is used up. `until` is None if none can tell."""

    def __init__(self, start: ChainStart, found: str, remedy: str, until: datetime | None) -> None:
        super().__init__(start, found, remedy)
        self.until = until


class TokenRevokedError(CollectionError):
    """The platform does not accept the account's credential any more: a person must act."""


class NoCredentialError(CollectionError):
    """No credential is stored that may ask for this."""


class AccountGoneError(CollectionError):
    """The account does not exist any more, or is suspended."""


class AccountPrivateError(CollectionError):
    """The account does not let this app read it."""


class RequestRefusedError(CollectionError):
    """The platform refuses the request itself; asking again does not help."""


class PlatformDownError(CollectionError):
    """The platform does not answer, or answers what it does not document, time after time."""
