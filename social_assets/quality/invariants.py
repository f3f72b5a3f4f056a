"""The invariants: which two counts of a day must agree, and where each is read.

Belongs here: the invariants, generated for every stream, fact and rollup from contracts and the
warehouse's lineage, without naming one of them. `day_comparison` compares them. Counts come from
Delta's log and from one GROUP BY a side, so that an invariant can be checked for the days of each
load and each drain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Protocol

from dagster import AssetKey

from resources.settings.home import Home
from social_assets.contracts.contract import Contract
from social_assets.contracts.registry import contract, contracts
from social_assets.metrics.registry import restricted_sums
from social_assets.pipeline.stores import Stores
from social_assets.warehouse.compared_days import (
    LAKE_EQUALS_WAREHOUSE,
    RAW_IS_ACCOUNTED_FOR,
    ROWS_EQUAL_SOURCE,
    SUMS_EQUAL_FACTS,
)
from social_assets.warehouse.dbt.tables import Table, Warehouse

Figures = tuple[float, ...]
ByDay = Mapping[date, Figures]

ROWS = "rows"
_SUM = "SimpleAggregateFunction(sum,"


@dataclass(frozen=True)
class Sides:
    """The figures of both sides, by day; a missing day counts as 0."""

    one: ByDay
    other: ByDay


class Invariant(Protocol):
    """Two sides that agree on every day.

    `tables` are the assets that are counted, `streams` those whose running work would show as a
    difference, `measures` the names of what is compared.
    """

    @property
    def asset(self) -> AssetKey:
        """The asset that the check belongs to."""
        ...

    @property
    def name(self) -> str:
        """The check's name."""
        ...

    @property
    def description(self) -> str:
        """The invariant in a sentence."""
        ...

    @property
    def sides(self) -> tuple[str, str]:
        """The names of the two sides."""
        ...

    @property
    def measures(self) -> tuple[str, ...]:
        """The names of the figures."""
        ...

    @property
    def tables(self) -> tuple[AssetKey, ...]:
        """The assets that are counted."""
        ...

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams whose rows are counted."""
        ...

    def figures(self, stores: Stores, days: Sequence[date] | None, comment: str) -> Sides:
        """Both sides of some days, or of all; `comment` tags the warehouse's queries."""
        ...


@dataclass(frozen=True)
class RawIsAccountedFor:
    """Raw = cleaned + duplicates + rejected."""

    contract: Contract
    name: str = RAW_IS_ACCOUNTED_FOR
    description: str = "Every raw record of a day is accepted, a duplicate, or rejected; once"
    sides: tuple[str, str] = ("raw", "cleaned_and_quarantine")
    measures: tuple[str, ...] = (ROWS,)

    @property
    def asset(self) -> AssetKey:
        """Cleaned."""
        return AssetKey(["cleaned", self.contract.name])

    @property
    def tables(self) -> tuple[AssetKey, ...]:
        """The three tables of the lake."""
        layers = ("raw", "cleaned", "quarantine")
        return tuple(AssetKey([layer, self.contract.name]) for layer in layers)

    @property
    def streams(self) -> tuple[str, ...]:
        """The one."""
        return (self.contract.name,)

    def figures(self, stores: Stores, days: Sequence[date] | None, comment: str) -> Sides:
        """From the logs of three tables."""
        stream = stores.of(self.contract, comment)
        cleaned, quarantine = stream.cleaned.rows_by_day(), stream.quarantine.rows_by_day()
        accounted = {
            day: cleaned.get(day, 0) + quarantine.get(day, 0) for day in {*cleaned, *quarantine}
        }
        return Sides(_of(stream.raw.rows_by_day(), days), _of(accounted, days))


@dataclass(frozen=True)
class LakeEqualsWarehouse:
    """Cleaned in the lake = `cleaned.<stream>` in ClickHouse."""

    contract: Contract
    name: str = LAKE_EQUALS_WAREHOUSE
    description: str = "Every accepted record of a day is in ClickHouse, once"
    sides: tuple[str, str] = ("lake", "warehouse")
    measures: tuple[str, ...] = (ROWS,)

    @property
    def asset(self) -> AssetKey:
        """Cleaned."""
        return AssetKey(["cleaned", self.contract.name])

    @property
    def tables(self) -> tuple[AssetKey, ...]:
        """Cleaned, in both its places."""
        return (self.asset,)

    @property
    def streams(self) -> tuple[str, ...]:
        """The one."""
        return (self.contract.name,)

    def figures(self, stores: Stores, days: Sequence[date] | None, comment: str) -> Sides:
        """From the log and from the warehouse."""
        stream = stores.of(self.contract, comment)
        return Sides(
            _of(stream.cleaned.rows_by_day(), days), _of(stream.loader.rows_by_day(days), days)
        )


@dataclass(frozen=True)
class RowsEqualSource:
    """A fact has the rows of its source."""

    fact: Table
    stream: str
    name: str = ROWS_EQUAL_SOURCE
    description: str = "The fact has a row for every accepted record of a day"
    sides: tuple[str, str] = ("source", "fact")
    measures: tuple[str, ...] = (ROWS,)

    @property
    def asset(self) -> AssetKey:
        """The fact."""
        return self.fact.asset

    @property
    def tables(self) -> tuple[AssetKey, ...]:
        """Source and fact."""
        return (AssetKey(["cleaned", self.stream]), self.asset)

    @property
    def streams(self) -> tuple[str, ...]:
        """The one."""
        return (self.stream,)

    def figures(self, stores: Stores, days: Sequence[date] | None, comment: str) -> Sides:
        """Two counts in the warehouse."""
        source, fact = (
            f"SELECT event_date, count() FROM {table} WHERE {Table.of_days(days)}"
            " GROUP BY event_date"
            for table in (f"cleaned.{self.stream}", self.fact.qualified_name)
        )
        return Sides(_asked(stores, source, comment), _asked(stores, fact, comment))


@dataclass(frozen=True)
class SumsEqualFacts:
    """A rollup adds up to its facts: its count to their rows, each sum to that of its column.

    `streams` are those behind the facts, one each. `columns` holds, by measure, the column of each
    fact, or SQL of what a row adds; None where rows are counted.
    """

    rollup: Table
    facts: tuple[AssetKey, ...]
    streams: tuple[str, ...]
    columns: Mapping[str, tuple[str | None, ...]]
    name: str = SUMS_EQUAL_FACTS
    description: str = "Counts and sums of a day are those of the facts that it is made of"
    sides: tuple[str, str] = ("facts", "rollup")

    @property
    def asset(self) -> AssetKey:
        """The rollup."""
        return self.rollup.asset

    @property
    def measures(self) -> tuple[str, ...]:
        """The counts and sums that are compared."""
        return tuple(self.columns)

    @property
    def tables(self) -> tuple[AssetKey, ...]:
        """Facts and rollup."""
        return (*self.facts, self.asset)

    def figures(self, stores: Stores, days: Sequence[date] | None, comment: str) -> Sides:
        """Two sums in the warehouse."""
        kept = Table.of_days(days)
        numbered = range(len(self.measures))
        of_facts = " UNION ALL ".join(
            f"SELECT event_date, {', '.join(self._read(n, at) for n in numbered)}"
            f" FROM {'.'.join(fact.path)} WHERE {kept} GROUP BY event_date"
            for at, fact in enumerate(self.facts)
        )
        added = ", ".join(f"sum(m{n})" for n in numbered)
        summed = ", ".join(f"sum({measure})" for measure in self.measures)
        return Sides(
            _asked(
                stores, f"SELECT event_date, {added} FROM ({of_facts}) GROUP BY event_date", comment
            ),
            _asked(
                stores,
                f"SELECT event_date, {summed} FROM {self.rollup.qualified_name} WHERE {kept}"
                " GROUP BY event_date",
                comment,
            ),
        )

    def _read(self, number: int, fact: int) -> str:
        column = self.columns[self.measures[number]][fact]
        return f"toFloat64({f'sum({column})' if column else 'count()'}) AS m{number}"


@cache
def invariants() -> tuple[Invariant, ...]:
    """Every invariant of the graph, along the way of a row."""
    project = Warehouse.of(Home.from_environment())
    facts = [table for table in project.tables("star") if table.name.startswith("fact_")]
    return (
        *(RawIsAccountedFor(each) for each in contracts()),
        *(LakeEqualsWarehouse(each) for each in contracts()),
        *(_of_fact(project, fact) for fact in facts),
        *(_of_rollup(project, rollup) for rollup in project.tables("rollups")),
    )


def invariants_of_stream(stream: str) -> list[Invariant]:
    """The invariants that the rows of a stream take part in."""
    return [invariant for invariant in invariants() if stream in invariant.streams]


def _of_fact(project: Warehouse, fact: Table) -> RowsEqualSource:
    return RowsEqualSource(fact, _stream_of(project, fact.asset))


def _stream_of(project: Warehouse, fact: AssetKey) -> str:
    sources = project.lineage_of(fact).deps_by_column["event_date"]
    (stream,) = {
        key.path[-1] for key in (each.asset_key for each in sources) if key.path[0] == "cleaned"
    }
    return contract(stream).name


def _of_rollup(project: Warehouse, rollup: Table) -> SumsEqualFacts:
    """A measure of one column of each fact is that column's sum; of no column, a count of rows.

    Of a rollup that is made of a finer rollup, the facts that this one is made of. A column that
    sums some rows alone is declared with the subject of the metrics, and compared with theirs.
    """
    facts = _columns_of_facts(project, rollup.asset, "event_date")
    columns: dict[str, tuple[str | None, ...]] = {}
    restricted = restricted_sums(rollup.qualified_name)
    for name, kind in rollup.columns.items():
        by_fact = _columns_of_facts(project, rollup.asset, name)
        if name in restricted:
            columns[name] = (restricted[name],) * len(facts)
        elif kind.startswith(_SUM) and len(by_fact) in (0, len(facts)):
            columns[name] = tuple(by_fact.get(fact) for fact in sorted(facts))
    streams = tuple(_stream_of(project, fact) for fact in sorted(facts))
    return SumsEqualFacts(rollup, tuple(sorted(facts)), streams, columns)


def _columns_of_facts(project: Warehouse, rollup: AssetKey, column: str) -> dict[AssetKey, str]:
    """The column of each fact that a rollup's column is made of; none if it counts rows."""
    found: dict[AssetKey, str] = {}
    for dep in project.lineage_of(rollup).deps_by_column.get(column, []):
        if dep.asset_key.path[0] == rollup.path[0]:
            found |= _columns_of_facts(project, dep.asset_key, dep.column_name)
        else:
            found[dep.asset_key] = dep.column_name
    return found


def _of(rows: Mapping[date, int], days: Sequence[date] | None) -> ByDay:
    kept = rows if days is None else {day: rows[day] for day in days if day in rows}
    return {day: (float(count),) for day, count in kept.items()}


def _asked(stores: Stores, query: str, comment: str) -> ByDay:
    with stores.clickhouse.client(comment) as client:
        return {day: tuple(map(float, row)) for day, *row in client.query(query).result_rows}
