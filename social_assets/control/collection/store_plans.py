"""Stores which accounts are tracked, and by which plan.

Belongs here: the changes of accounts within a transaction. When the endpoints of an account are due
is in `tracked_endpoints`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, Row, bindparam, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from social_assets.control.accounts import Account
from social_assets.control.collection.schedule import CollectionPlan, PlanChange
from social_assets.control.collection.tables import TRACKED_ACCOUNTS
from social_assets.control.collection.tracked_account import TrackedCounts, plan_of
from social_assets.control.collection.tracked_endpoints import plan_again

_A = TRACKED_ACCOUNTS.c
_AT_ONCE = 500
"""Accounts of one statement."""


def store_plans(
    connection: Connection, changes: Mapping[Account, PlanChange], at: datetime
) -> TrackedCounts:
    """Add the accounts that are not tracked, and change the plans of those that are."""
    # In one order, so that two processes never wait for each other.
    accounts = sorted(changes)
    new = changed = 0
    for first in range(0, len(accounts), _AT_ONCE):
        some = accounts[first : first + _AT_ONCE]
        added = _add(connection, {account: changes[account] for account in some}, at)
        new += len(added)
        old = _rows(connection, [each for each in some if each not in added])
        changed += _change_plans(connection, old, changes, at)
    return TrackedCounts(new, changed, len(accounts) - new - changed)


def _add(
    connection: Connection, changes: Mapping[Account, PlanChange], at: datetime
) -> set[Account]:
    """Insert those that are new. Another process may track the same ones at this moment."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    rows = [
        {
            "platform": account.platform,
            "name": account.account_id,
            "tracked_at": at,
            **_columns(change.applied_to(CollectionPlan())),
        }
        for account, change in changes.items()
    ]
    adding = dialect.insert(TRACKED_ACCOUNTS).on_conflict_do_nothing()
    added = connection.execute(adding.returning(_A.platform, _A.name), rows)
    return {Account(row.platform, row.name) for row in added}


def _rows(connection: Connection, accounts: Sequence[Account]) -> Sequence[Row[tuple[object, ...]]]:
    """The rows of accounts, which no other transaction changes meanwhile."""
    if not accounts:
        return ()
    keys = [(each.platform, each.account_id) for each in accounts]
    query = select(TRACKED_ACCOUNTS).where(tuple_(_A.platform, _A.name).in_(keys))
    return connection.execute(query.order_by(_A.platform, _A.name).with_for_update()).all()


def _change_plans(
    connection: Connection,
    rows: Sequence[Row[tuple[object, ...]]],
    changes: Mapping[Account, PlanChange],
    at: datetime,
) -> int:
    """Store other plans of tracked accounts; returns how many differ."""
    plans = []
    for row in rows:
        plan = changes[Account(row.platform, row.name)].applied_to(plan_of(row))
        if plan != plan_of(row):
            plans.append((row, plan))
    if plans:
        one = update(TRACKED_ACCOUNTS).where(
            _A.platform == bindparam("of_platform"), _A.name == bindparam("of_name")
        )
        connection.execute(
            one,
            [
                {"of_platform": row.platform, "of_name": row.name, **_columns(plan)}
                for row, plan in plans
            ],
        )
        plan_again(connection, plans, at)
    return len(plans)


def _columns(plan: CollectionPlan) -> dict[str, str | int | None]:
    return {
        "priority": plan.priority.value,
        "every_seconds": None if plan.every is None else int(plan.every.total_seconds()),
        "refresh_at": plan.refresh_at,
        "time_zone": plan.time_zone,
    }
