"""When the endpoints of a tracked account are due next, and where their chains go on.

Belongs here: the changes of endpoints and positions within a transaction. Accounts are in
`tracked_accounts`, the arithmetic of times in `schedule`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Row, insert, select, tuple_, update

from social_assets.control.collection.schedule import DAY, CollectionPlan, back_off, due_after
from social_assets.control.collection.tables import (
    CHAIN_POSITIONS,
    TRACKED_ACCOUNTS,
    TRACKED_ENDPOINTS,
)
from social_assets.control.collection.tracked_account import Collected, plan_of

_E, _C = TRACKED_ENDPOINTS.c, CHAIN_POSITIONS.c


def finish_endpoint(
    connection: Connection, key: tuple[str, str, str], chains: list[Collected]
) -> None:
    """Record what became of the chains of one endpoint (platform, name, endpoint), oldest first."""
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
    if not any(each.is_last for each in chains):
        return
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
        plan = plan_of(row)
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
    change(connection, row, eligible_at=None if row.paused_at else eligible_at, **values)


def _store_position(connection: Connection, each: Collected) -> None:
    key = {
        "platform": each.platform,
        "name": each.name,
        "endpoint": each.endpoint,
        "parent_id": each.parent_id,
    }
    values = {"since": each.since, "resume": each.resume, "updated_at": each.collected_at}
    same = [CHAIN_POSITIONS.c[column] == value for column, value in key.items()]
    row = connection.execute(select(_C.since, _C.resume, _C.updated_at).where(*same)).one_or_none()
    before = (None, None) if row is None else (row.since, row.resume)
    if each.problem is not None and before == (each.since, each.resume):
        # It failed before its first page: its turn among the posts is still to come.
        return
    stored = None if row is None else row.updated_at
    if stored is None:
        connection.execute(insert(CHAIN_POSITIONS).values(**key, **values))
    elif stored <= each.collected_at:
        connection.execute(update(CHAIN_POSITIONS).where(*same).values(**values))


def plan_again(
    connection: Connection,
    plans: Sequence[tuple[Row[tuple[object, ...]], CollectionPlan]],
    at: datetime,
) -> None:
    """Let the endpoints of accounts follow other plans: at the latest after the new interval."""
    by_account = {(account.platform, account.name): (account, plan) for account, plan in plans}
    endpoints = connection.execute(
        select(TRACKED_ENDPOINTS).where(tuple_(_E.platform, _E.name).in_(list(by_account)))
    ).all()
    for row in endpoints:
        account, plan = by_account[row.platform, row.name]
        refresh = plan.refresh_after(at)
        is_daily = row.is_daily or plan.interval >= DAY
        due: datetime = min(row.next_due_at, refresh if is_daily else at + plan.interval)
        eligible_at: datetime = min(due, refresh)
        if row.failures:
            eligible_at = max(eligible_at, row.last_failed_at + back_off(row.failures))
        change(
            connection,
            row,
            next_due_at=due,
            next_refresh_at=refresh,
            eligible_at=None if account.paused_at else eligible_at,
        )


def endpoints_of(
    connection: Connection, platform: str, name: str
) -> Sequence[Row[tuple[object, ...]]]:
    """The endpoints of an account."""
    return connection.execute(
        select(TRACKED_ENDPOINTS).where(_E.platform == platform, _E.name == name)
    ).all()


def change(connection: Connection, row: Row[tuple[object, ...]], **values: object) -> None:
    """Change columns of an endpoint."""
    connection.execute(
        update(TRACKED_ENDPOINTS)
        .where(_E.platform == row.platform, _E.name == row.name, _E.endpoint == row.endpoint)
        .values(**values)
    )
