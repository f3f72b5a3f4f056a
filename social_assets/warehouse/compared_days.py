"""What the invariants found on each day, and whether the day has changed since then.

Belongs here: the table of the results, and the states of partitions. Which two counts must agree,
and their comparison, belong to `quality`; what an answer says of it belongs to `metrics`.

A result is valid for the rows that were compared. So each one is recorded with the states of its
tables, read before the comparison: a day that is written meanwhile, or later, has another state. A
state is made of ClickHouse's own numbers of blocks and mutations, which a merge does not change, so
that no writer has to record anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from social_assets.warehouse.ddl import DATABASE, create_database
from social_assets.warehouse.tables import is_of_missing_table

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

COMPARED_DAYS = f"{DATABASE}.compared_days"
"""Made by the first result. If it is lost, days are not checked until they are compared again."""

RAW_IS_ACCOUNTED_FOR = "raw_equals_cleaned_plus_quarantine"
LAKE_EQUALS_WAREHOUSE = "lake_equals_warehouse"
ROWS_EQUAL_SOURCE = "rows_equal_source"
SUMS_EQUAL_FACTS = "sums_equal_facts"
EVERY_TEXT_IS_SCORED = "every_text_is_scored"
SUMS_EQUAL_EVENTS = "sums_equal_events"

INVARIANTS_OF_LAYERS: Mapping[str, tuple[str, ...]] = {
    "cleaned": (RAW_IS_ACCOUNTED_FOR, LAKE_EQUALS_WAREHOUSE),
    "star": (ROWS_EQUAL_SOURCE,),
    "rollups": (SUMS_EQUAL_FACTS,),
    "text": (EVERY_TEXT_IS_SCORED,),
    "features": (SUMS_EQUAL_EVENTS,),
}
"""The invariants that a table of each layer takes part in."""


@dataclass(frozen=True)
class ComparedDay:
    """What an invariant of a table found on one day. `tables` are those that were counted."""

    table: str
    invariant: str
    day: date
    passed: bool
    tables: tuple[str, ...]


@dataclass(frozen=True)
class PartitionStates:
    """The states of tables at a moment, each a hash."""

    read_at: datetime
    of_days: Mapping[str, Mapping[date, int]]
    """By table and partition: an absent partition has no state."""
    of_months: Collection[str]
    """The tables whose partitions are months."""

    def of(self, tables: Iterable[str], day: date) -> int:
        """The state of a day in some tables together: of the partitions that have it."""
        state = 0
        for table in tables:
            partition = day.replace(day=1) if table in self.of_months else day
            # Each hash has the name of its table, so no two of them are the same.
            state ^= self.of_days.get(table, {}).get(partition, 0)
        return state


@dataclass(frozen=True)
class ResultsOfTable:
    """The days of a table that have results, each with the second since 1970 of its comparison."""

    broken: dict[date, int]
    """These stay broken until a later comparison passes."""
    held: dict[date, int]
    changed: dict[date, int]
    """Changed since they were compared, or not compared by each invariant of the table."""


def partition_states(client: Client, tables: Collection[str]) -> PartitionStates:
    """The states of all partitions of tables; tables that are absent have none."""
    read_at = datetime.now(UTC)
    rows = client.query(_STATES, parameters={"tables": sorted(tables)}).result_rows
    found: dict[str, dict[date, int]] = {}
    of_months = {table for table, _, is_month, _, _ in rows if is_month}
    for table, partition, _, of_month, of_day in rows:
        state = of_month if table in of_months else of_day
        found.setdefault(table, {})[date.fromisoformat(partition)] = state
    return PartitionStates(read_at, found, of_months)


def record_compared(
    client: Client, compared: Sequence[ComparedDay], states: PartitionStates
) -> None:
    """Record results, in one insert. `states` were read before the comparison."""
    if not compared:
        return
    rows = pa.table(
        {
            "table": pa.array([each.table for each in compared]),
            "invariant": pa.array([each.invariant for each in compared]),
            "event_date": pa.array([each.day for each in compared], pa.date32()),
            "passed": pa.array([int(each.passed) for each in compared], pa.uint8()),
            "compared_at": pa.array([states.read_at] * len(compared), pa.timestamp("us", "UTC")),
            "counted": pa.array([",".join(each.tables) for each in compared]),
            "state": pa.array([states.of(each.tables, each.day) for each in compared], pa.uint64()),
        }
    )
    try:
        _insert(client, rows)
    except Exception as error:
        if not is_of_missing_table(error):
            raise
        client.command(create_database())
        client.command(_CREATE)
        _insert(client, rows)


def forget_compared(client: Client, table: str, days: Collection[date]) -> None:
    """Delete the results of days that retention has removed from a table."""
    condition = "table = {table:String} AND event_date IN {days:Array(Date32)}"
    parameters = {"table": table, "days": sorted(days)}
    try:
        [(known,)] = client.query(
            f"SELECT count() FROM {COMPARED_DAYS} WHERE {condition}", parameters=parameters
        ).result_rows
        if known:
            client.command(f"DELETE FROM {COMPARED_DAYS} WHERE {condition}", parameters=parameters)
    except Exception as error:
        if not is_of_missing_table(error):
            raise


def results_of(
    client: Client, tables: Collection[str]
) -> tuple[Mapping[str, ResultsOfTable], PartitionStates]:
    """What is recorded of tables, compared with their states now; and these states."""
    try:
        rows = client.query(_RESULTS, parameters={"tables": sorted(tables)}).result_rows
    except Exception as error:
        if not is_of_missing_table(error):
            raise
        rows = []
    counted = {name for _, names, *_ in rows for name in names.split(",")}
    states = partition_states(client, counted.union(tables))
    found = {table: ResultsOfTable({}, {}, {}) for table in {row[0] for row in rows}}
    passed: dict[str, Counter[date]] = {table: Counter() for table in found}
    for table, names, *columns in rows:
        _add(found[table], passed[table], zip(*columns, strict=True), names.split(","), states)
    for table, results in found.items():
        expected = len(INVARIANTS_OF_LAYERS[table.partition(".")[0]])
        for day in [day for day in results.held if passed[table][day] < expected]:
            results.changed[day] = results.held.pop(day)
    return found, states


def _add(
    results: ResultsOfTable,
    passed: Counter[date],
    days: Iterable[tuple[date, int, int, int]],
    counted: Sequence[str],
    states: PartitionStates,
) -> None:
    """Add the days of one invariant; a day is as bad as the worst of its results."""
    broken, held, changed = results.broken, results.held, results.changed
    for day, has_passed, at, state in days:
        if not has_passed:
            broken[day] = at
            held.pop(day, None)
            changed.pop(day, None)
        elif day in broken:
            continue
        elif day not in changed and state == states.of(counted, day):
            held[day] = min(at, held.get(day, at))
            passed[day] += 1
        else:
            changed[day] = at
            held.pop(day, None)


def _insert(client: Client, rows: pa.Table) -> None:
    client.insert_arrow(COMPARED_DAYS, rows, settings={"async_insert": 0, "insert_deduplicate": 0})


_CREATE = f"""
CREATE TABLE IF NOT EXISTS {COMPARED_DAYS} (
    table LowCardinality(String), invariant LowCardinality(String), event_date Date32,
    passed UInt8, compared_at DateTime64(6, 'UTC'),
    counted LowCardinality(String) COMMENT 'The tables that were counted, by commas',
    state UInt64 COMMENT 'Their state before the comparison'
) ENGINE = ReplacingMergeTree(compared_at) ORDER BY (table, invariant, event_date)
COMMENT 'What the invariants found on each day, and in which state of the tables'
"""

# The path names the table by its UUID: a table that was made again has another one. The number of
# the last mutation is the fifth part of a part's name. Merges change rows only where they merge
# them. A month's blocks are left out: each insert of today would change the state of its whole
# month. Its facts have partitions of days.
_STATES = """
SELECT
    concat(database, '.', table) AS name,
    partition,
    max(max_date > toDate(partition)) AS is_month,
    sipHash64(name, partition, any(made), max(mutation)) AS of_month,
    sipHash64(name, partition, any(made), max(mutation), max(max_block_number), sum(kept)) AS of_day
FROM (
    SELECT database, table, partition, max_date, max_block_number,
        if(engine IN ('MergeTree', 'ReplicatedMergeTree'), rows, 0) AS kept,
        toUInt64OrZero(splitByChar('_', name)[5]) AS mutation,
        arrayElement(splitByChar('/', path), -3) AS made
    FROM system.parts
    WHERE active AND concat(database, '.', table) IN {tables:Array(String)}
)
GROUP BY database, table, partition
"""

_RESULTS = f"""
SELECT table, counted, groupArray(event_date), groupArray(passed),
    groupArray(toUInt32(toUnixTimestamp(compared_at))), groupArray(state)
FROM {COMPARED_DAYS} FINAL
WHERE table IN {{tables:Array(String)}}
GROUP BY table, invariant, counted
"""
