"""Tracked accounts: what is collected, when each endpoint is due, where its chains go on.

Belongs here: the repository. The arithmetic of times is in `schedule`, the columns in `tables`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, Engine, Row, delete, func, insert, select, update

from social_assets.control.accounts import Account
from social_assets.control.collection.schedule import CollectionPlan, PlanChange
from social_assets.control.collection.store_plans import store_plans
from social_assets.control.collection.tables import (
    CHAIN_POSITIONS,
    TRACKED_ACCOUNTS,
    TRACKED_ENDPOINTS,
)
from social_assets.control.collection.tracked_account import (
    ChainPlace,
    Collected,
    DueEndpoint,
    TrackedAccount,
    TrackedCounts,
    plan_of,
)
from social_assets.control.collection.tracked_endpoints import (
    change,
    endpoints_of,
    finish_endpoint,
)
from social_assets.control.engine import reading, writing
from social_assets.control.errors import UnknownTrackedAccountError
from social_assets.control.schema import now

_A, _E, _C = TRACKED_ACCOUNTS.c, TRACKED_ENDPOINTS.c, CHAIN_POSITIONS.c


class TrackedAccounts:
    """The repository of tracked accounts."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = now) -> None:
        self._engine = engine
        self._clock = clock

    def track(self, account: Account, plan: CollectionPlan) -> TrackedAccount:
        """Track an account, or give a tracked one another plan. Repeating it changes nothing."""
        change = PlanChange(plan.priority, plan.every, plan.refresh_at, plan.time_zone)
        self.track_all([(account, change)])
        return self.get(account.platform, account.account_id)

    def track_all(self, changes: Iterable[tuple[Account, PlanChange]]) -> TrackedCounts:
        """Track several accounts, all or none of them, each as its change says.

        What a change leaves open stays as it is, or is as in CollectionPlan for a new account. The
        last change of an account counts.
        """
        wanted = dict(changes)
        with writing(self._engine) as connection:
            return store_plans(connection, wanted, self._clock())

    def untrack(self, platform: str, name: str) -> None:
        """Collect an account no more; what is collected stays. Raises UnknownTrackedAccountError.

        Its positions are deleted: tracked again, it is collected from the beginning.
        """
        self.untrack_all([Account(platform, name)])

    def untrack_all(self, accounts: Iterable[Account]) -> None:
        """Untrack several accounts, all or none. Raises UnknownTrackedAccountError."""
        # In one order, so that two processes never wait for each other.
        with writing(self._engine) as connection:
            for each in sorted(set(accounts)):
                _known(connection, each.platform, each.account_id)
                connection.execute(
                    delete(TRACKED_ACCOUNTS).where(
                        _A.platform == each.platform, _A.name == each.account_id
                    )
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
            for row in endpoints_of(connection, platform, name):
                change(
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
            known = {row.endpoint: row for row in endpoints_of(connection, platform, name)}
            wanted = dict(endpoints)
            for endpoint, is_daily in wanted.items():
                if endpoint in known:
                    if known[endpoint].is_daily != is_daily:
                        change(connection, known[endpoint], is_daily=is_daily)
                    continue
                connection.execute(
                    insert(TRACKED_ENDPOINTS).values(
                        platform=platform,
                        name=name,
                        endpoint=endpoint,
                        is_daily=is_daily,
                        next_due_at=at,
                        next_refresh_at=plan_of(account).refresh_after(at),
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
            select(
                TRACKED_ACCOUNTS, _E.endpoint, _E.eligible_at, _E.next_due_at, _E.next_refresh_at
            )
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
                plan_of(row),
                row.next_refresh_at if row.next_refresh_at <= at else row.next_due_at,
            )
            for row in rows
        ]

    def without_endpoints(self, platform: str, limit: int) -> Sequence[TrackedAccount]:
        """Accounts that are not paused and of which no endpoint is known yet, oldest first."""
        query = (
            select(_A.name)
            .select_from(TRACKED_ACCOUNTS.outerjoin(TRACKED_ENDPOINTS))
            .where(_A.platform == platform, _A.paused_at.is_(None), _E.endpoint.is_(None))
            .order_by(_A.tracked_at)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            names = connection.execute(query).scalars().all()
            return [_summaries(connection, platform, name)[0] for name in names]

    def endpoint_names(self, platform: str, names: Iterable[str]) -> dict[str, set[str]]:
        """The known endpoints of accounts of a platform."""
        query = select(_E.name, _E.endpoint).where(_E.platform == platform, _E.name.in_(set(names)))
        found: dict[str, set[str]] = {}
        with reading(self._engine) as connection:
            for name, endpoint in connection.execute(query):
                found.setdefault(name, set()).add(endpoint)
        return found

    def never_collected(
        self, platform: str, names: Iterable[str], endpoints: Iterable[str]
    ) -> set[str]:
        """The accounts with one of these endpoints that was never collected to its end."""
        query = select(_E.name).where(
            _E.platform == platform,
            _E.name.in_(set(names)),
            _E.endpoint.in_(set(endpoints)),
            _E.last_collected_at.is_(None),
        )
        with reading(self._engine) as connection:
            return set(connection.execute(query).scalars())

    def places(self, platform: str, name: str, endpoint: str) -> dict[str, ChainPlace]:
        """Where the chains of an endpoint go on, by the post that they are about."""
        query = select(_C.parent_id, _C.since, _C.resume, _C.updated_at).where(
            _C.platform == platform, _C.name == name, _C.endpoint == endpoint
        )
        with reading(self._engine) as connection:
            return {row.parent_id: ChainPlace(*row[1:]) for row in connection.execute(query)}

    def make_due(self, platform: str, name: str, *, from_the_beginning: bool = False) -> None:
        """Make all endpoints of an account due now. Raises UnknownTrackedAccountError.

        From the beginning: without marks, as the daily full refresh.
        """
        with writing(self._engine) as connection:
            account = _known(connection, platform, name)
            at = self._clock()
            for row in endpoints_of(connection, platform, name):
                refresh = {"next_refresh_at": at} if from_the_beginning else {}
                due = None if account.paused_at else at
                change(connection, row, next_due_at=at, eligible_at=due, **refresh)

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

    def rewind(self, platform: str, name: str, marks: Mapping[tuple[str, str], str | None]) -> None:
        """Let chains, each an endpoint and a post, begin again from other marks.

        A collection that began before does not move them. Raises UnknownTrackedAccountError.
        """
        with writing(self._engine) as connection:
            _known(connection, platform, name)
            at = self._clock()
            for (endpoint, parent_id), since in marks.items():
                connection.execute(
                    update(CHAIN_POSITIONS)
                    .where(
                        _C.platform == platform,
                        _C.name == name,
                        _C.endpoint == endpoint,
                        _C.parent_id == parent_id,
                    )
                    .values(since=since, resume=None, updated_at=at)
                )

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
                finish_endpoint(connection, key, chains)


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
            f"{platform}:{name} is not tracked, at least not under this name; "
            "`social-assets accounts` lists the accounts that are"
        )
    return row


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
            plan_of(row),
            row.paused_reason,
            row.paused_at,
            row.tracked_at,
            row.last_collected_at,
            row.next_due_at,
            row.problem,
        )
        for row in connection.execute(query)
    ]
