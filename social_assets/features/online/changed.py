"""Which users, accounts and posts have other features than at the last materialization.

Belongs here: comparing the parts of ClickHouse's tables with what was taken of them. A part names
the blocks that it has: blocks after the last one that was taken are new rows, also in a part that
was merged. If the first block is another one, the day was replaced, so everybody who has had rows
on it counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from social_assets.features.feature_view import FeatureView, WatchedTable
from social_assets.features.online.rows import TakenDay, Watermark

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

Days = Mapping[str, TakenDay]

_PARTS = """SELECT toString(t.uuid), p.partition, min(p.min_block_number), max(p.max_block_number),
  max(toUInt64OrZero(splitByChar('_', p.name)[5]))
FROM system.parts AS p
INNER JOIN system.tables AS t ON t.database = p.database AND t.name = p.table
WHERE p.active AND p.rows > 0 AND concat(p.database, '.', p.table) = {table:String}
GROUP BY t.uuid, p.partition"""


@dataclass(frozen=True)
class ChangedEntities:
    """What to make anew: everything, or the entities of some SELECTs and of the online store."""

    tables: Mapping[str, Days]
    is_everything: bool = False
    selects: tuple[str, ...] = ()
    """SELECTs of platform key and entity key."""
    replaced_since: datetime | None = None
    """The first day that was replaced: who is known since may be gone now."""

    @property
    def is_nothing(self) -> bool:
        """Whether no row can have changed."""
        return not (self.is_everything or self.selects or self.replaced_since)


def changes(
    client: Client, view: FeatureView, taken: Watermark | None, as_of: datetime, definition: str
) -> ChangedEntities:
    """What differs from what was taken; `as_of` must be before the call."""
    found: dict[str, Days] = {}
    selects: list[str] = []
    replaced: list[date] = []
    anew = taken is None or taken.definition != definition
    for watched in view.watched:
        name, days = _days(client, watched.table)
        found[name] = days
        if taken is None or anew:
            continue
        before = taken.tables.get(name)
        if before is None:
            anew = True
            continue
        for day, state in days.items():
            known = before.get(day)
            if known is None:
                selects.append(_select(view, watched, f"event_date = '{day}'"))
            elif (known.first_block, known.mutation) != (state.first_block, state.mutation):
                replaced.append(date.fromisoformat(day))
                selects.append(_select(view, watched, f"event_date = '{day}'"))
            elif known.last_block != state.last_block:
                newer = f"toInt64(splitByChar('_', _part)[3]) > {known.last_block}"
                selects.append(_select(view, watched, f"event_date = '{day}' AND {newer}"))
        replaced += [date.fromisoformat(day) for day in before.keys() - days.keys()]
    if anew or taken is None:
        return ChangedEntities(found, is_everything=True)
    if by_time := view.history.known_between(taken.as_of, as_of, view.features):
        selects += [_select(view, each, by_time) for each in view.watched]
    since = _midnight(min(replaced)) if replaced else None
    return ChangedEntities(found, False, tuple(selects), since)


def _days(client: Client, table: str) -> tuple[str, Days]:
    rows = client.query(_PARTS, parameters={"table": table}).result_rows
    name = next((f"{table} {uuid}" for uuid, *_ in rows), table)
    return name, {day: TakenDay(*state) for _, day, *state in rows}


def _select(view: FeatureView, watched: WatchedTable, where: str) -> str:
    key = watched.key or view.entity.key
    return f"SELECT {watched.platform_key}, {key} FROM {watched.table} WHERE {where}"


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
