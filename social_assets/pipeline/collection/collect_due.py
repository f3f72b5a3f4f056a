"""Collects what is due of one platform: accounts first, then their posts, until a time is over.

Belongs here: the order of the steps, and what a failure does to an account. The steps of records
belong to `pipeline.pages`, choosing the chains to `due_chains`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, cast

from sqlalchemy import Engine

from resources.settings.home import Home
from social_assets.contracts.registry import contract
from social_assets.control.collection.credentials import PlatformCredentials
from social_assets.control.collection.tracked_account import Collected, DueEndpoint
from social_assets.control.collection.tracked_accounts import TrackedAccounts
from social_assets.ingest.connectors.client import ConnectorClient
from social_assets.ingest.connectors.connector import AskedFor, Connector
from social_assets.ingest.connectors.errors import (
    AccountGoneError,
    AccountPrivateError,
    CollectionError,
    TokenRevokedError,
)
from social_assets.pipeline.collection.account_endpoints import AccountEndpoints
from social_assets.pipeline.collection.due_chains import DueChains
from social_assets.pipeline.pages.collect_chains import (
    CollectedChains,
    DueChain,
    collect_chains,
)
from social_assets.pipeline.pages.land_pages import PagePipeline, platform_lock
from social_assets.pipeline.pages.spool import PageSpool
from social_assets.pipeline.stores import Stores, StreamStores

MOST_DUE = 2_000
"""So many endpoints are taken in one round; the next round takes the others."""


@dataclass(frozen=True)
class Collection:
    """Collects from one platform into the streams that its endpoints feed."""

    connector: Connector
    home: Home
    engine: Engine
    stores: Stores
    log_comment: str | None = None

    def collect(self, client: ConnectorClient, seconds: float = 300.0) -> CollectedPlatform:
        """Collect what is due, oldest first, and begin no chain after `seconds`.

        One process at a time collects from a platform; another one waits. What a killed process
        left is completed first. Raises no CollectionError: an account that fails stops no other.
        """
        ends_at = time.monotonic() + seconds
        done = CollectedPlatform()
        tracked = TrackedAccounts(self.engine, client.now)
        endpoints = AccountEndpoints(
            self.connector, tracked, PlatformCredentials(self.engine, self.home)
        )
        with platform_lock(self.home.path / "locks", self.connector.platform):
            pipeline = self._pipeline(tracked)
            done.add_days(pipeline.recover_pages())
            done.errors += endpoints.make_known(client)
            began_at: datetime | None = None
            while time.monotonic() < ends_at and (at := client.now()) != began_at:
                began_at = at
                due = tracked.due(self.connector.platform, at, MOST_DUE)
                if not due:
                    break
                chains = DueChains(self.connector, tracked, self.stores.clickhouse, at)
                wanted = endpoints.correct(due)
                for part in (chains.of_accounts(wanted), chains.of_posts(wanted)):
                    found = collect_chains(pipeline, _until(part, ends_at), client)
                    done.add(found)
                    self._pause(tracked, wanted, found.errors)
        return done

    @property
    def streams(self) -> Mapping[str, StreamStores]:
        """The stores of the streams that the platform feeds."""
        names = {name for each in self.connector.endpoints for name in each.streams}
        return {name: self.stores.of(contract(name), self.log_comment) for name in sorted(names)}

    def _pipeline(self, tracked: TrackedAccounts) -> PagePipeline:
        def promote(promotion: Mapping[str, object]) -> None:
            chains = cast("Sequence[Mapping[str, Any]]", promotion["chains"])
            tracked.finish([_collected(each) for each in chains])

        spool = PageSpool.of(self.home, self.connector.platform)
        return PagePipeline(spool, self.connector.platform, self.streams, promote)

    def _pause(
        self,
        tracked: TrackedAccounts,
        due: Sequence[DueEndpoint],
        errors: Sequence[CollectionError],
    ) -> None:
        """Pause the accounts that only a person can help."""
        names = {each.account_id or each.name: each.name for each in due}
        for error in errors:
            asked_for = self.connector.endpoint(error.endpoint).asked_for
            is_private = isinstance(error, AccountPrivateError) and asked_for is AskedFor.ACCOUNT
            if is_private or isinstance(error, AccountGoneError | TokenRevokedError):
                name = names[error.account.account_id]
                tracked.pause(self.connector.platform, name, str(error))


@dataclass
class CollectedPlatform:
    """What a run has collected of a platform."""

    chains: int = 0
    pages: int = 0
    records: int = 0
    days: dict[str, set[date]] = field(default_factory=dict)
    """For each stream, the dates whose rows changed."""
    errors: list[CollectionError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, found: CollectedChains) -> None:
        """Count what was collected."""
        self.chains += len(found.results)
        self.pages += found.pages
        self.records += found.records
        self.errors += found.errors
        self.add_days(found.days)
        for each in found.results:
            where = f"{each.platform}:{each.name}, {each.endpoint}"
            self.notes += [f"{where}: {note}" for note in each.notes]

    def add_days(self, days: Mapping[str, set[date]]) -> None:
        """Add dates whose rows changed."""
        for stream, changed in days.items():
            self.days.setdefault(stream, set()).update(changed)


def _until(chains: Iterator[DueChain], ends_at: float) -> Iterator[DueChain]:
    for chain in chains:
        if time.monotonic() >= ends_at:
            return
        yield chain


def _collected(result: Mapping[str, Any]) -> Collected:
    """A ChainResult as it was promoted, for the store."""
    is_ended = result["is_complete"] or result["problem"] is not None
    return Collected(
        result["platform"],
        result["name"],
        result["endpoint"],
        result["parent_id"] or "",
        result["since"],
        result["resume"],
        datetime.fromisoformat(result["at"]).astimezone(UTC),
        result["problem"],
        result["is_refresh"],
        is_last=result["is_last"] and is_ended,
    )
