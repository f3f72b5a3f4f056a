"""What the invariants found on each day, and whether the day has changed since then.

Belongs here: the table of the results, and the states of partitions. Which two counts must agree,
and their comparison, belong to `quality`; what an answer says of it belongs to `metrics`.

A result is valid for the rows that were compared. So each one is recorded with the states of its
tables, read before the comparison: a day that is written meanwhile, or later, has another state. A
state is made of ClickHouse's own numbers of blocks and mutations, which a merge does not change, so
that no writer has to record anything.
"""

from __future__ import annotations

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

INVARIANTS_OF_LAYERS: Mapping[str, tuple[str, ...]] = {
    "cleaned": (RAW_IS_ACCOUNTED_FOR, LAKE_EQUALS_WAREHOUSE),
    "star": (ROWS_EQUAL_SOURCE,),
    "rollups": (SUMS_EQUAL_FACTS,),
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
    """The states of tables at a moment."""

    read_at: datetime
    of_days: Mapping[str, Mapping[date, str]]
    """By table and partition: an absent partition has no state."""
    of_months: Collection[str]
    """The tables whose partitions are months."""

    def of(self, table: str, day: date) -> tuple[str, date, str]:
        """The table, the partition that has a day, and its state: empty if it is absent."""
        partition = day.replace(day=1) if table in self.of_months else day
        return table, partition, self.of_days.get(table, {}).get(partition, "")


@dataclass(frozen=True)
class ResultsOfTable:
    """The days of a table that have results: what each one says, and when it was compared."""

    broken: Mapping[date, datetime]
    """These stay broken until a later comparison passes."""
    held: Mapping[date, datetime]
    changed: Mapping[date, datetime]
    """Changed since they were compared, or not compared by each invariant of the table."""


def partition_states(client: Client, tables: Collection[str]) -> PartitionStates:
    """The states of all partitions of tables; tables that are absent have none."""
    read_at = datetime.now(UTC)
    rows = client.query(_STATES, parameters={"tables": sorted(tables)}).result_rows
    found: dict[str, dict[date, str]] = {}
    for table, partition, state, _ in rows:
        found.setdefault(table, {})[date.fromisoformat(partition)] = state
    return PartitionStates(read_at, found, {table for table, _, _, is_month in rows if is_month})


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
            "states": pa.array(
                [_named(states, each) for each in compared],
                pa.list_(pa.struct(dict(zip(_STATE, _STATE_TYPES, strict=True)))),
            ),
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


def results_of(client: Client, tables: Collection[str]) -> dict[str, ResultsOfTable]:
    """What is recorded of tables, compared with their states now; empty if nothing is."""
    try:
        counted = client.query(
            f"SELECT DISTINCT arrayJoin(states.name) FROM {COMPARED_DAYS}\n"
            "WHERE table IN {tables:Array(String)}",
            parameters={"tables": sorted(tables)},
        ).result_rows
        rows = client.query(
            _RESULTS,
            parameters={"of": sorted(tables), "tables": sorted(name for (name,) in counted)},
        ).result_rows
    except Exception as error:
        if is_of_missing_table(error):
            return {}
        raise
    return {table: _results(table, zip(*columns, strict=True)) for table, *columns in rows}


def _results(table: str, days: Iterable[tuple[date, int, int, int, int]]) -> ResultsOfTable:
    expected = len(INVARIANTS_OF_LAYERS[table.partition(".")[0]])
    broken: dict[date, datetime] = {}
    held: dict[date, datetime] = {}
    changed: dict[date, datetime] = {}
    for day, invariants, has_passed, is_current, at in days:
        if not has_passed:
            kind = broken
        else:
            kind = held if is_current and invariants == expected else changed
        kind[day] = datetime.fromtimestamp(at, UTC)
    return ResultsOfTable(broken, held, changed)


def _named(states: PartitionStates, compared: ComparedDay) -> list[dict[str, object]]:
    return [
        dict(zip(_STATE, states.of(table, compared.day), strict=True)) for table in compared.tables
    ]


def _insert(client: Client, rows: pa.Table) -> None:
    client.insert_arrow(COMPARED_DAYS, rows, settings={"async_insert": 0, "insert_deduplicate": 0})


_CREATE = f"""
CREATE TABLE IF NOT EXISTS {COMPARED_DAYS} (
    table LowCardinality(String), invariant LowCardinality(String), event_date Date32,
    passed UInt8, compared_at DateTime64(6, 'UTC'),
    states Array(Tuple(name String, partition Date32, state String))
) ENGINE = ReplacingMergeTree(compared_at) ORDER BY (table, invariant, event_date)
COMMENT 'What the invariants found on each day, and in which state of the tables'
"""

_STATE = ("name", "partition", "state")
_STATE_TYPES = (pa.string(), pa.date32(), pa.string())

# The number of the last mutation is the fifth part of a part's name. A month's blocks are left out:
# each insert of today would change the state of its whole month. Its facts have partitions of days.
_STATES = """
SELECT
    concat(part.database, '.', part.table) AS name,
    part.partition AS partition,
    if(any(known.is_month), concat(any(known.id), ' ', toString(max(part.mutation))), concat(
        any(known.id), ' ', toString(max(part.max_block_number)), ' ',
        toString(max(part.mutation)), ' ', if(any(known.is_plain), toString(sum(part.rows)), '')
    )) AS state,
    any(known.is_month) AS is_month
FROM (
    SELECT database, table, partition, max_block_number, rows,
        toUInt64OrZero(splitByChar('_', name)[5]) AS mutation
    FROM system.parts
    WHERE active AND concat(database, '.', table) IN {tables:Array(String)}
) AS part
INNER JOIN (
    SELECT database, name AS table, toString(uuid) AS id, engine = 'MergeTree' AS is_plain,
        partition_key LIKE '%Month%' AS is_month
    FROM system.tables
    WHERE concat(database, '.', name) IN {tables:Array(String)}
) AS known USING (database, table)
GROUP BY name, partition
"""

_RESULTS = f"""
WITH
now AS ({_STATES}),

compared AS (
    SELECT table, invariant, event_date, passed, compared_at,
        one.1 AS name, toString(one.2) AS partition, one.3 AS state
    FROM {COMPARED_DAYS} FINAL
    ARRAY JOIN states AS one
    WHERE table IN {{of:Array(String)}}
),

by_day AS (
    SELECT table, event_date, uniqExact(invariant) AS invariants, min(compared.passed) AS passed,
        min(compared.state = now.state) AS is_current,
        toUInt32(toUnixTimestamp(min(compared.compared_at))) AS at
    FROM compared
    LEFT JOIN now USING (name, partition)
    GROUP BY table, event_date
)

SELECT table, groupArray(event_date), groupArray(invariants), groupArray(passed),
    groupArray(is_current), groupArray(at)
FROM by_day
GROUP BY table
"""
