"""The endpoints of tracked accounts: which there are, and the platform's own id of an account.

Belongs here: what must be known of an account before it can be due. When it is due belongs to
`control.collection`, asking for it to `due_chains`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from social_assets.control.accounts import Account
from social_assets.control.collection.credentials import PlatformCredentials
from social_assets.control.collection.tracked_account import DueEndpoint
from social_assets.control.collection.tracked_accounts import TrackedAccounts
from social_assets.ingest.connectors.chain import ChainStart
from social_assets.ingest.connectors.client import ConnectorClient
from social_assets.ingest.connectors.connector import ApiEndpoint, Connector, Frequency
from social_assets.ingest.connectors.errors import (
    AccountGoneError,
    CollectionError,
    TokenRevokedError,
)

_MOST_NEW = 500
_LOOKUP = "lookup"


@dataclass(frozen=True)
class AccountEndpoints:
    """Finds the endpoints of a platform's tracked accounts."""

    connector: Connector
    tracked: TrackedAccounts
    credentials: PlatformCredentials

    def own_accounts(self) -> set[str]:
        """The ids of the accounts that have a credential of their own, also if it is revoked.

        Asking with a revoked one pauses the account, whatever became of the process that noticed.
        """
        records = self.credentials.list(self.connector.platform)
        return {each.account_id for each in records if each.account_id}

    def make_known(self, client: ConnectorClient) -> list[CollectionError]:
        """Find the ids and endpoints of accounts that were tracked since; returns what failed.

        An account that the platform does not know is paused. Another failure is tried again at
        the next collection.
        """
        own, errors = self.own_accounts(), []
        for account in self.tracked.without_endpoints(self.connector.platform, _MOST_NEW):
            try:
                account_id = self._id_of(account.name, own, client)
            except CollectionError as error:
                if isinstance(error, AccountGoneError | TokenRevokedError):
                    self.tracked.pause(account.platform, account.name, str(error))
                errors.append(error)
                continue
            self.tracked.resolved(account.platform, account.name, account_id)
            self._ensure(account.name, is_own=account_id in own)
        return errors

    def correct(self, due: Sequence[DueEndpoint]) -> list[DueEndpoint]:
        """What is due of those endpoints that the accounts have now.

        Which an account has depends on whether it has a credential of its own, and on the
        declaration of the connector: both may have changed.
        """
        own = self.own_accounts()
        names = {each.name: each.account_id in own for each in due}
        known = self.tracked.endpoint_names(self.connector.platform, names)
        for name, is_own in names.items():
            declared = {each.name for each in self._endpoints_of(is_own=is_own)}
            if known.get(name, set()) != declared:
                self._ensure(name, is_own=is_own)
        return [
            each
            for each in due
            if any(
                endpoint.name == each.endpoint
                for endpoint in self._endpoints_of(is_own=names[each.name])
            )
        ]

    def _id_of(self, name: str, own: set[str], client: ConnectorClient) -> str:
        is_id = re.fullmatch(self.connector.id_like, name) if self.connector.id_like else False
        if name in own or is_id:
            return name
        start = ChainStart(Account(self.connector.platform, name), _LOOKUP, handle=name)
        return client.account_id(start)

    def _ensure(self, name: str, *, is_own: bool) -> None:
        endpoints = [
            (each.name, each.frequency is Frequency.DAILY)
            for each in self._endpoints_of(is_own=is_own)
        ]
        self.tracked.ensure_endpoints(self.connector.platform, name, endpoints)

    def _endpoints_of(self, *, is_own: bool) -> tuple[ApiEndpoint, ...]:
        """The endpoints of an account. If no one else may ask for it, asking says what it lacks."""
        found = self.connector.endpoints_of(is_own=is_own)
        return found or self.connector.endpoints_of(is_own=True)
