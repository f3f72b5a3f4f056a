"""Collects now, from the command line: runs the job of each platform that has something due.

Belongs here: which platforms, and the result. What a run does belongs to `defs.collection`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from resources.settings.home import Home
from social_assets.control.accounts import Account
from social_assets.control.collection.tracked_accounts import TrackedAccounts
from social_assets.control.engine import open_engine
from social_assets.control.errors import PausedAccountError
from social_assets.ingest.connectors.connector import Connector
from social_assets.ingest.connectors.engine.marks import earlier
from social_assets.ingest.connectors.registry import connector_of, connectors


@dataclass(frozen=True)
class CollectReport:
    """What a run has collected of a platform."""

    platform: str
    run_id: str
    chains: int
    pages: int
    records: int
    stopped_early: int

    def as_json(self) -> dict[str, object]:
        """The result for programs."""
        return asdict(self)


def collect_now(
    home: Home,
    platform: str | None,
    accounts: Sequence[Account],
    progress: Callable[[str], None],
    *,
    seconds: float,
    from_the_beginning: bool = False,
    since: datetime | None = None,
) -> list[CollectReport]:
    """Collect what is due, or of `accounts` even what is not.

    With `since`, read again what was published since then, of `accounts` or of all that are not
    paused. An account that was never collected is read from its beginning.

    Raises UnknownTrackedAccountError, PausedAccountError, ConnectorDeclarationError,
    RunFailedError.
    """
    from social_assets.operate.runs.start import collect

    wanted = _wanted(platform, accounts)
    engine = open_engine(home)
    try:
        tracked = TrackedAccounts(engine)
        if since is not None and not accounts:
            accounts = _unpaused(tracked, wanted)
        for account in accounts:
            reason = tracked.get(account.platform, account.account_id).paused_reason
            if reason is not None:
                raise PausedAccountError(
                    f"{account} is paused: {reason}; `social-assets track {account} --resume` ends "
                    "the pause"
                )
        for account in accounts:
            if since is not None:
                _rewind(tracked, account, since)
            # At last: what was collected before is asked for again.
            tracked.make_due(
                account.platform, account.account_id, from_the_beginning=from_the_beginning
            )
        at = datetime.now(UTC)
        due = [
            each
            for each in wanted
            if tracked.due(each.platform, at, 1) or tracked.without_endpoints(each.platform, 1)
        ]
    finally:
        engine.dispose()
    found = []
    for connector in due:
        run = collect(home, connector, seconds, progress)
        found.append(CollectReport(connector.platform, run.run_id, **run.counts))
    return found


def _unpaused(tracked: TrackedAccounts, wanted: Sequence[Connector]) -> list[Account]:
    platforms = {each.platform for each in wanted}
    return [
        Account(each.platform, each.name)
        for each in tracked.list()
        if each.platform in platforms and each.paused_at is None
    ]


def _rewind(tracked: TrackedAccounts, account: Account, since: datetime) -> None:
    """Let the chains of an account begin at a time, if they have come further."""
    marks = {
        (endpoint.name, parent_id): earlier(endpoint.since, place.since, since)
        for endpoint in connector_of(account.platform).endpoints
        for parent_id, place in tracked.places(
            account.platform, account.account_id, endpoint.name
        ).items()
        if place.since is not None
    }
    tracked.rewind(account.platform, account.account_id, marks)


def _wanted(platform: str | None, accounts: Sequence[Account]) -> list[Connector]:
    if platform is not None:
        return [connector_of(platform)]
    if accounts:
        return [connector_of(each) for each in dict.fromkeys(a.platform for a in accounts)]
    return list(connectors())
