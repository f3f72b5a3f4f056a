"""Does what rows left in a table as they arrived equal what its source says now, row for row?

Here belongs one check for every table that materialized views feed: the SELECTs of its views are
run again on their sources, and the result is compared with the table. A backfill builds tables
from the same SELECTs, so a table must pass whichever way its days came.

A run compares its own days and those that failed before (`failing_days`).

Tables that merge rows are compared merged: sums, counts, distinct users, newest attributes.
Percentiles are left out: the sketch behind them depends on the order of merging.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSpec,
    AssetKey,
    MetadataValue,
    TableRecord,
    multi_asset_check,
)

from resources.clickhouse.resource import ClickHouseResource
from social_assets.defs.monitoring.failing_days import (
    days_to_validate,
    failing_days_metadata,
    listed,
)
from social_assets.defs.partitions import days_of_check
from social_assets.defs.stores import StoresResource
from social_assets.warehouse.dbt.tables import Table

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

SPEED_EQUALS_BATCH = "speed_equals_batch"

_SAMPLE_ROWS = 5

_STREAM = re.compile(r"\bFROM (cleaned\.\w+)")
"""The stream in the SELECT of a view, as the server tells it."""

_DAYS_WITH_HISTORY = 7
"""How many days of a table that reads history one query compares: it keeps their rows in memory."""

_TOLERANCE = 1e-9
"""Of sums of Float64, relative: adding up in another order differs in the last digits."""


class NoViewError(LookupError):
    """No view feeds the table, so it cannot be compared."""


def speed_equals_batch_checks(
    name: str, tables: Sequence[Table], sources: Mapping[AssetKey, Collection[AssetKey]]
) -> AssetChecksDefinition:
    """The check of each table; `name` is the step's, in which all of them run.

    Days that retention has removed from a table or one of its `sources` are not compared.
    """
    by_asset = {table.asset: table for table in tables}

    @multi_asset_check(
        name=name,
        can_subset=True,
        specs=[
            AssetCheckSpec(
                SPEED_EQUALS_BATCH,
                asset=table.asset,
                description="The table holds what its views would make of their sources now",
            )
            for table in tables
        ],
    )
    def compare(
        context: AssetCheckExecutionContext, clickhouse: ClickHouseResource, stores: StoresResource
    ) -> Iterator[AssetCheckResult]:
        days = days_of_check(context)
        expired = stores.stores().lake.expired_days()
        for check in sorted(context.selected_asset_check_keys):
            asset, due = check.asset_key, days_to_validate(context.instance, check, days)
            gone = expired.days(*(key.to_user_string() for key in (asset, *sources[asset])))
            with clickhouse.client(f"{context.run.run_id} {asset.to_user_string()}") as client:
                yield difference(client, by_asset[asset], due, gone)

    return compare


def difference(
    client: "Client", table: Table, days: Sequence[date] | None, gone: Collection[date] = ()
) -> AssetCheckResult:
    """The validation result of one table: of some days, or of all, but those that are `gone`."""
    comparison = Comparison(table, _feeding_selects(client, table), tuple(sorted(gone)))
    suspects: list[date] = []
    rows = rebuilt = 0
    for part in _compared_together(client, comparison, days):
        found = _differing_days(client, comparison, part)
        suspects, rows, rebuilt = suspects + found[0], rows + found[1], rebuilt + found[2]
    differing, failing, sample = (
        _differing_rows(client, comparison, suspects) if suspects else (0, [], [])
    )
    return AssetCheckResult(
        asset_key=table.asset,
        check_name=SPEED_EQUALS_BATCH,
        passed=differing == 0,
        description=(
            f"{differing} rows differ from what the views would make now, on {listed(failing)}"
            if differing
            else None
        ),
        metadata={
            "rows_in_table": rows,
            "rows_rebuilt": rebuilt,
            **({"table | rebuilt": MetadataValue.table(sample)} if sample else {}),
            **failing_days_metadata(failing),
        },
    )


@dataclass(frozen=True)
class Comparison:
    """The SQL that compares a table with the SELECTs of its views."""

    table: Table
    selects: Sequence[str]
    gone: tuple[date, ...] = ()

    def compared(self, days: Sequence[date] | None) -> str:
        """The condition for some days, or all days, without expired ones."""
        kept = self.table.of_days(days)
        return f"{kept} AND NOT {self.table.of_days(self.gone)}" if self.gone else kept

    @property
    def keys(self) -> list[str]:
        """The columns that identify a row: for a table that merges rows, the day and its order;
        else all.
        """
        if self.table.is_aggregated:
            return list(dict.fromkeys(["event_date", *self.table.order_by]))
        return list(self.table.columns)

    @property
    def measures(self) -> dict[str, str]:
        """The measures that must agree for each key, and how to read them on either side."""
        if not self.table.is_aggregated:
            return {"copies": "count()"}
        readings = {name: _reading(name, kind) for name, kind in self.table.columns.items()}
        return {name: sql for name, sql in readings.items() if sql and name not in self.keys}

    @property
    def streams(self) -> list[str]:
        """The streams whose rows the views are given."""
        return sorted({name for select in self.selects for name in _STREAM.findall(select)})

    def rebuilt(self, days: Sequence[date] | None) -> str:
        """The rows that the views would insert now, of all days or of at least some.

        A view that reads history gets the rows of these days as the inserted block: the server
        does not find out by itself that other days of the stream need not be compared.
        """
        columns = ", ".join(self.table.columns)
        selects = self.selects
        if self.table.reads_history and days is not None:
            block = rf"FROM (SELECT * FROM \1 WHERE {self.table.of_days(days)})"
            selects = [_STREAM.sub(block, select) for select in selects]
        return " UNION ALL ".join(f"SELECT {columns} FROM ({select})" for select in selects)

    def merged(self, rows: str, days: Sequence[date] | None) -> str:
        """The rows of one side, one a key."""
        keys = ", ".join(self.keys)
        measures = ", ".join(f"{sql} AS {_of(name)}" for name, sql in self.measures.items())
        kept = self.compared(days)
        return f"SELECT {keys}, {measures} FROM {rows} WHERE {kept} GROUP BY {keys}"

    def digests(self, rows: str, days: Sequence[date] | None) -> str:
        """Count and digest of the rows of each day, whatever their order."""
        values, source = self.keys, f"{rows} WHERE {self.compared(days)}"
        if self.table.is_aggregated:
            values = [*self.keys, *(self._rounded(name) for name in self.measures)]
            source = f"({self.merged(rows, days)})"
        # A tuple, since the hash of several values is NULL if one of them is.
        digest = f"sum(cityHash64(tuple({', '.join(values)})))"
        return (
            f"SELECT event_date, count() AS n, {digest} AS digest\n"
            f"FROM {source} GROUP BY event_date"
        )

    def differs(self) -> str:
        """Whether the two sides of one key, as columns `ours` and `theirs`, disagree."""
        return " OR ".join(
            f"abs({a} - {b}) > {_TOLERANCE} * greatest(abs({a}), abs({b}), 1)"
            if self._is_float(name)
            else f"{a} IS DISTINCT FROM {b}"
            for name in self.measures
            for a, b in [(f"ours.{_of(name)}", f"theirs.{_of(name)}")]
        )

    def _rounded(self, name: str) -> str:
        """A sum, rounded so that the order of adding does not matter."""
        return f"toFloat32({_of(name)})" if self._is_float(name) else _of(name)

    def _is_float(self, name: str) -> bool:
        return self.table.columns.get(name) == "SimpleAggregateFunction(sum, Float64)"


def _feeding_selects(client: "Client", table: Table) -> list[str]:
    """The SELECTs of the views that write to the table, as the server runs them."""
    found = client.query(
        "SELECT as_select FROM system.tables\n"
        "WHERE engine = 'MaterializedView'\n"
        "  AND create_table_query LIKE concat('% TO ', {table:String}, ' (%')\n"
        "ORDER BY name",
        parameters={"table": table.qualified_name},
    ).result_rows
    if not found:
        raise NoViewError(
            f"no materialized view writes to {table.qualified_name}; deploy the warehouse again"
        )
    return [row[0] for row in found]


def _compared_together(
    client: "Client", comparison: Comparison, days: Sequence[date] | None
) -> list[Sequence[date] | None]:
    """The days of each query: all at once, but of a table that reads history some at once."""
    if not comparison.table.reads_history:
        return [days]
    if days is None:
        either = " UNION DISTINCT ".join(
            f"SELECT event_date FROM {rows}"
            for rows in (comparison.table.qualified_name, *comparison.streams)
        )
        found = client.query(f"SELECT DISTINCT event_date FROM ({either}) ORDER BY event_date")
        days = [row[0] for row in found.result_rows]
    step = _DAYS_WITH_HISTORY
    return [days[first : first + step] for first in range(0, len(days), step)]


def _differing_days(
    client: "Client", comparison: Comparison, days: Sequence[date] | None
) -> tuple[list[date], int, int]:
    """The days whose digests differ, and the rows of each side in all days asked for."""
    ours = comparison.digests(comparison.table.qualified_name, days)
    theirs = comparison.digests(f"({comparison.rebuilt(days)})", days)
    found = client.query(
        "SELECT event_date, ours.n, theirs.n, ours.digest != theirs.digest\n"
        f"FROM ({ours}) AS ours FULL JOIN ({theirs}) AS theirs USING (event_date)"
    ).result_rows
    suspects = [day for day, _, _, differs in found if differs]
    return suspects, sum(row[1] for row in found), sum(row[2] for row in found)


def _differing_rows(
    client: "Client", comparison: Comparison, days: Sequence[date]
) -> tuple[int, list[date], list[TableRecord]]:
    """How many rows are in one side only, or disagree; on which days; and some of them."""
    shown = [_shown(key, comparison.table.columns[key]) for key in comparison.keys]
    both = [
        f"concat(toString(ours.{_of(name)}), ' | ', toString(theirs.{_of(name)}))"
        for name in comparison.measures
    ]
    ours = comparison.merged(comparison.table.qualified_name, days)
    theirs = comparison.merged(f"({comparison.rebuilt(days)})", days)
    found = client.query(
        "SELECT count() OVER (), groupUniqArray(event_date) OVER (), "
        f"{', '.join([*shown, *both])}\n"
        f"FROM ({ours}) AS ours\n"
        f"FULL JOIN ({theirs}) AS theirs USING ({', '.join(comparison.keys)})\n"
        f"WHERE {comparison.differs()}\n"
        f"LIMIT {_SAMPLE_ROWS}"
    ).result_rows
    names = [*comparison.keys, *comparison.measures]
    records = [TableRecord(dict(zip(names, row[2:], strict=True))) for row in found]
    return (found[0][0], found[0][1], records) if found else (0, [], [])


def _reading(name: str, kind: str) -> str | None:
    """How the final value of a state is read over a group; None where no value is final."""
    for function in ("sum", "min", "max"):
        if kind.startswith(f"SimpleAggregateFunction({function},"):
            return f"{function}({name})"
    if kind.startswith("AggregateFunction(uniqCombined,"):
        return f"uniqCombinedMerge({name})"
    return None


def _of(name: str) -> str:
    """An alias that does not hide the column of the same name."""
    return f"{name}_"


def _shown(name: str, kind: str) -> str:
    return f"lower(hex({name}))" if kind == "FixedString(16)" else f"toString({name})"
