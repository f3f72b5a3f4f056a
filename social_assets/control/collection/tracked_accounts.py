"""Tracked accounts: what is collected, when each endpoint is due, where its chains go on.

Belongs here: the repository. The arithmetic of times is in `schedule`, the columns in `tables`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, Row, delete, func, insert, select, update

from social_assets.control.accounts import Account
from social_assets.control.collection.schedule import (
    DAY,
    CollectionPlan,
    Priority,
    back_off,
    due_after,
)
from social_assets.control.collection.tables import (
    CHAIN_POSITIONS,
    TRACKED_ACCOUNTS,
    TRACKED_ENDPOINTS,
)
from social_assets.control.engine import reading, writing
from social_assets.control.errors import UnknownTrackedAccountError
from social_assets.control.schema import now

_A, _E, _C = TRACKED_ACCOUNTS.c, TRACKED_ENDPOINTS.c, CHAIN_POSITIONS.c


@dataclass(frozen=True)
class TrackedAccount:
    """An account that is collected, as a person named it."""

    platform: str
    name: str
    """The id or handle that was typed."""
    account_id: str | None
    """The platform's own id, once it is known."""
    plan: CollectionPlan
    paused_reason: str | None
    paused_at: datetime | None
    tracked_at: datetime
    last_collected_at: datetime | None = None
    next_due_at: datetime | None = None
    """None while it is paused, and before its endpoints are known."""
    problem: str | None = None
    """Why an endpoint failed at its last collection."""


@dataclass(frozen=True)
class DueEndpoint:
    """An endpoint of an account that is to be collected now."""

    platform: str
    name: str
    account_id: str | None
    endpoint: str
    due_at: datetime
    is_refresh: bool
    """Whether it is the daily full refresh, which begins without a mark."""
    plan: CollectionPlan


@dataclass(frozen=True)
class Collected:
    """What became of a chain. `problem` says why it failed; None: it did not."""

    platform: str
    name: str
    endpoint: str
    parent_id: str
    """The post that the chain is about; "" for the account itself."""
    since: str | None
    resume: str | None
    collected_at: datetime
    problem: str | None = None
    is_refresh: bool = False
    """As in the DueEndpoint that was collected."""


class TrackedAccounts:
    """The repository of tracked accounts."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = now) -> None:
        self._engine = engine
        self._clock = clock

    def track(self, account: Account, plan: CollectionPlan) -> TrackedAccount:
        """Track an account, or give a tracked one another plan. Repeating it changes nothing."""
        self.track_all([account], plan)
        return self.get(account.platform, account.account_id)

    def track_all(self, accounts: Iterable[Account], plan: CollectionPlan) -> None:
        """Track several accounts, all or none of them."""
        values = {
            "priority": plan.priority.value,
            "every_seconds": None if plan.every is None else int(plan.every.total_seconds()),
            "refresh_at": plan.refresh_at,
            "time_zone": plan.time_zone,
        }
        at = self._clock()
        with writing(self._engine) as connection:
            for account in dict.fromkeys(accounts):
                key = (_A.platform == account.platform, _A.name == account.account_id)
                row = connection.execute(select(TRACKED_ACCOUNTS).where(*key)).one_or_none()
                if row is None:
                    connection.execute(
                        insert(TRACKED_ACCOUNTS).values(
                            platform=account.platform,
                            name=account.account_id,
                            tracked_at=at,
                            **values,
                        )
                    )
                elif _plan(row) != plan:
                    connection.execute(update(TRACKED_ACCOUNTS).where(*key).values(**values))
                    _plan_again(connection, row, plan, at)

    def promote(self, platform: str, name: str, priority: Priority) -> TrackedAccount:
        """Give an account another priority and keep the rest. Raises UnknownTrackedAccountError."""
        plan = self.get(platform, name).plan
        changed = CollectionPlan(priority, None, plan.refresh_at, plan.time_zone)
        return self.track(Account(platform, name), changed)

    def untrack(self, platform: str, name: str) -> None:
        """Collect an account no more; what is collected stays. Raises UnknownTrackedAccountError.

        Its positions are deleted: tracked again, it is collected from the beginning.
        """
        with writing(self._engine) as connection:
            _known(connection, platform, name)
            connection.execute(
                delete(TRACKED_ACCOUNTS).where(_A.platform == platform, _A.name == name)
            )

    def get(self, platform: str, name: str) -> TrackedAccount:
        """One account. Raises UnknownTrackedAccountError."""
        with reading(self._engine) as connection:
            found = _summaries(connection, platform, name)
            if not found:
                _known(connection, platform, name)
        return found[0]

    def list(self, platform: str | None = None) -> list[TrackedAccount]:
        """All accounts, or those of a platform, by name."""
        with reading(self._engine) as connection:
            return _summaries(connection, platform, None)

    def resolved(self, platform: str, name: str, account_id: str) -> TrackedAccount:
        """Record the platform's own id of an account. Raises UnknownTrackedAccountError.

        An account that is tracked under another name already is paused, not collected twice.
        """
        with writing(self._engine) as connection:
            row = _known(connection, platform, name)
            other = connection.execute(
                select(_A.name).where(
                    _A.platform == platform, _A.account_id == account_id, _A.name != name
                )
            ).scalar()
            if other is not None:
                reason = f"it is the account {platform}:{other}, which is tracked; untrack one"
                _pause(connection, platform, name, reason, self._clock())
            elif row.account_id != account_id:
                connection.execute(
                    update(TRACKED_ACCOUNTS)
                    .where(_A.platform == platform, _A.name == name)
                    .values(account_id=account_id)
                )
        return self.get(platform, name)

    def pause(self, platform: str, name: str, reason: str) -> None:
        """Collect nothing of an account until `resume`. Raises UnknownTrackedAccountError."""
        with writing(self._engine) as connection:
            _known(connection, platform, name)
            _pause(connection, platform, name, reason, self._clock())

    def resume(self, platform: str, name: str) -> None:
        """End a pause; what was due meanwhile is due now. Raises UnknownTrackedAccountError."""
        with writing(self._engine) as connection:
            if _known(connection, platform, name).paused_at is None:
                return
            connection.execute(
                update(TRACKED_ACCOUNTS)
                .where(_A.platform == platform, _A.name == name)
                .values(paused_at=None, paused_reason=None)
            )
            for row in _endpoints(connection, platform, name):
                _change(
                    connection,
                    row,
                    eligible_at=min(row.next_due_at, row.next_refresh_at),
                    failures=0,
                    problem=None,
                )

    def ensure_endpoints(
        self, platform: str, name: str, endpoints: Sequence[tuple[str, bool]]
    ) -> None:
        """Make endpoints (name, whether daily) due at once, unless they are known.

        Endpoints that are not named are removed. Raises UnknownTrackedAccountError.
        """
        with writing(self._engine) as connection:
            account = _known(connection, platform, name)
            at = self._clock()
            known = {row.endpoint: row for row in _endpoints(connection, platform, name)}
            wanted = dict(endpoints)
            for endpoint, is_daily in wanted.items():
                if endpoint in known:
                    if known[endpoint].is_daily != is_daily:
                        _change(connection, known[endpoint], is_daily=is_daily)
                    continue
                connection.execute(
                    insert(TRACKED_ENDPOINTS).values(
                        platform=platform,
                        name=name,
                        endpoint=endpoint,
                        is_daily=is_daily,
                        next_due_at=at,
                        next_refresh_at=_plan(account).refresh_after(at),
                        eligible_at=None if account.paused_at else at,
                        failures=0,
                    )
                )
            for endpoint in known.keys() - wanted.keys():
                connection.execute(
                    delete(TRACKED_ENDPOINTS).where(
                        _E.platform == platform, _E.name == name, _E.endpoint == endpoint
                    )
                )

    def due(self, platform: str, at: datetime, limit: int) -> Sequence[DueEndpoint]:
        """What is due of a platform, the longest due first, whatever its priority."""
        joined = TRACKED_ENDPOINTS.join(TRACKED_ACCOUNTS)
        query = (
            select(TRACKED_ACCOUNTS, _E.endpoint, _E.eligible_at, _E.next_refresh_at)
            .select_from(joined)
            .where(_E.platform == platform, _E.eligible_at <= at)
            .order_by(_E.eligible_at)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return [
            DueEndpoint(
                row.platform,
                row.name,
                row.account_id,
                row.endpoint,
                row.eligible_at,
                row.next_refresh_at <= at,
                _plan(row),
            )
            for row in rows
        ]

    def position(
        self, platform: str, name: str, endpoint: str, parent_id: str = ""
    ) -> tuple[str | None, str | None]:
        """Where a chain goes on: since, resume. Both are None before its first collection."""
        with reading(self._engine) as connection:
            row = connection.execute(
                select(_C.since, _C.resume).where(
                    _C.platform == platform,
                    _C.name == name,
                    _C.endpoint == endpoint,
                    _C.parent_id == parent_id,
                )
            ).one_or_none()
        return (None, None) if row is None else (row.since, row.resume)

    def finish(self, batch: Sequence[Collected]) -> None:
        """Record what was collected, in one transaction. Repeating it changes nothing.

        An endpoint fails if one of its chains does. What is older than the record is passed over,
        and so is an account that was untracked meanwhile.
        """
        by_endpoint: dict[tuple[str, str, str], list[Collected]] = {}
        for each in sorted(batch, key=lambda each: each.collected_at):
            by_endpoint.setdefault((each.platform, each.name, each.endpoint), []).append(each)
        # In one order, so that two processes never wait for each other.
        with writing(self._engine) as connection:
            for key, chains in sorted(by_endpoint.items()):
                _finish(connection, key, chains)


def _finish(connection: Connection, key: tuple[str, str, str], chains: list[Collected]) -> None:
    platform, name, endpoint = key
    row = connection.execute(
        select(TRACKED_ENDPOINTS, TRACKED_ACCOUNTS)
        .select_from(TRACKED_ENDPOINTS.join(TRACKED_ACCOUNTS))
        .where(_E.platform == platform, _E.name == name, _E.endpoint == endpoint)
        .with_for_update()
    ).one_or_none()
    if row is None:
        return
    for each in chains:
        _store_position(connection, each)
    at = chains[-1].collected_at
    known = [time for time in (row.last_collected_at, row.last_failed_at) if time is not None]
    if known and at <= max(known):
        return
    problem = next((each.problem for each in chains if each.problem is not None), None)
    if problem is not None:
        failures = row.failures + 1
        eligible_at: datetime = at + back_off(failures)
        values = {"failures": failures, "problem": problem, "last_failed_at": at}
    else:
        plan = _plan(row)
        next_refresh: datetime = row.next_refresh_at
        if row.is_daily or plan.interval >= DAY or any(each.is_refresh for each in chains):
            next_refresh = plan.refresh_after(at)
        is_daily = row.is_daily or plan.interval >= DAY
        next_due = next_refresh if is_daily else due_after(row.next_due_at, plan.interval, at)
        eligible_at = min(next_due, next_refresh)
        values = {
            "failures": 0,
            "problem": None,
            "last_collected_at": at,
            "next_due_at": next_due,
            "next_refresh_at": next_refresh,
        }
    _change(connection, row, eligible_at=None if row.paused_at else eligible_at, **values)


def _store_position(connection: Connection, each: Collected) -> None:
    key = {
        "platform": each.platform,
        "name": each.name,
        "endpoint": each.endpoint,
        "parent_id": each.parent_id,
    }
    values = {"since": each.since, "resume": each.resume, "updated_at": each.collected_at}
    same = [CHAIN_POSITIONS.c[column] == value for column, value in key.items()]
    stored = connection.execute(select(_C.updated_at).where(*same)).scalar()
    if stored is None:
        connection.execute(insert(CHAIN_POSITIONS).values(**key, **values))
    elif stored <= each.collected_at:
        connection.execute(update(CHAIN_POSITIONS).where(*same).values(**values))


def _plan_again(
    connection: Connection, account: Row[tuple[object, ...]], plan: CollectionPlan, at: datetime
) -> None:
    """Let endpoints follow another plan: at the latest after its interval."""
    refresh = plan.refresh_after(at)
    for row in _endpoints(connection, account.platform, account.name):
        is_daily = row.is_daily or plan.interval >= DAY
        due: datetime = min(row.next_due_at, refresh if is_daily else at + plan.interval)
        eligible_at: datetime = min(due, refresh)
        if row.failures:
            eligible_at = max(eligible_at, row.last_failed_at + back_off(row.failures))
        _change(
            connection,
            row,
            next_due_at=due,
            next_refresh_at=refresh,
            eligible_at=None if account.paused_at else eligible_at,
        )


def _pause(connection: Connection, platform: str, name: str, reason: str, at: datetime) -> None:
    connection.execute(
        update(TRACKED_ACCOUNTS)
        .where(_A.platform == platform, _A.name == name)
        .values(paused_reason=reason, paused_at=func.coalesce(_A.paused_at, at))
    )
    connection.execute(
        update(TRACKED_ENDPOINTS)
        .where(_E.platform == platform, _E.name == name)
        .values(eligible_at=None)
    )


def _known(connection: Connection, platform: str, name: str) -> Row[tuple[object, ...]]:
    """The account, which no other transaction changes meanwhile."""
    query = select(TRACKED_ACCOUNTS).where(_A.platform == platform, _A.name == name)
    row = connection.execute(query.with_for_update()).one_or_none()
    if row is None:
        raise UnknownTrackedAccountError(
            f"{platform}:{name} is not tracked; `social-assets accounts` shows what is"
        )
    return row


def _endpoints(
    connection: Connection, platform: str, name: str
) -> Sequence[Row[tuple[object, ...]]]:
    return connection.execute(
        select(TRACKED_ENDPOINTS).where(_E.platform == platform, _E.name == name)
    ).all()


def _change(connection: Connection, row: Row[tuple[object, ...]], **values: object) -> None:
    connection.execute(
        update(TRACKED_ENDPOINTS)
        .where(_E.platform == row.platform, _E.name == row.name, _E.endpoint == row.endpoint)
        .values(**values)
    )


def _summaries(
    connection: Connection, platform: str | None, name: str | None
) -> list[TrackedAccount]:
    query = (
        select(
            TRACKED_ACCOUNTS,
            func.max(_E.last_collected_at).label("last_collected_at"),
            func.min(_E.eligible_at).label("next_due_at"),
            func.max(_E.problem).label("problem"),
        )
        .select_from(TRACKED_ACCOUNTS.outerjoin(TRACKED_ENDPOINTS))
        .group_by(_A.platform, _A.name)
        .order_by(_A.platform, _A.name)
    )
    if platform is not None:
        query = query.where(_A.platform == platform)
    if name is not None:
        query = query.where(_A.name == name)
    return [
        TrackedAccount(
            row.platform,
            row.name,
            row.account_id,
            _plan(row),
            row.paused_reason,
            row.paused_at,
            row.tracked_at,
            row.last_collected_at,
            row.next_due_at,
            row.problem,
        )
        for row in connection.execute(query)
    ]


def _plan(row: Row[tuple[object, ...]]) -> CollectionPlan:
    every = None if row.every_seconds is None else timedelta(seconds=row.every_seconds)
    return CollectionPlan(Priority(row.priority), every, row.refresh_at, row.time_zone)
