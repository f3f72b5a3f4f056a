"""How far a day's rows differ from those of the days before it: measures of a stream's columns.

Belongs here: the query of a stream, and the comparison of its figures. Only the query needs a
client. `defs/ingestion/drift_checks` shows the results.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from math import isnan, sqrt
from statistics import median
from typing import TYPE_CHECKING

from social_assets.contracts.column import Column
from social_assets.contracts.contract import Band, Contract, Drift
from social_assets.warehouse import ddl
from social_assets.warehouse.dbt.tables import Table

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
STANDARD_ERRORS = 3.0
"""Differences of shares up to so many standard errors count as chance."""

_MAD_TO_SIGMA = 1.4826
_NULL = "(null)"


class Kind(StrEnum):
    """What is measured; the values are names of checks."""

    VOLUME = "volume_is_usual"
    MISSING = "missing_values_are_usual"
    CATEGORY = "category_shares_are_usual"
    QUANTILE = "quantiles_are_usual"


@dataclass(frozen=True)
class DayFigures:
    """The figures of one event date of `cleaned.<stream>`: rows; rows without a value by column;
    rows by category of each categorical column; the quantiles QUANTILES of each numeric column.
    """

    rows: int
    missing: Mapping[str, int]
    categories: Mapping[str, Mapping[str, int]]
    quantiles: Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class DriftMeasure:
    """One figure of the day, the median of the days before, and the change between them.

    `change` is in the unit of the contract's band for the kind.
    """

    kind: Kind
    column: str
    what: str
    today: float
    trailing: float
    change: float


@dataclass(frozen=True)
class Compared:
    """The measures of a day; `not_validated` gives the reason for kinds without measures."""

    day: date | None
    trailing_days: int
    measures: tuple[DriftMeasure, ...]
    not_validated: Mapping[Kind, str]


def band(drift: Drift, kind: Kind) -> Band:
    """The contract's limits for a kind."""
    return {
        Kind.VOLUME: drift.volume,
        Kind.MISSING: drift.missing,
        Kind.CATEGORY: drift.category,
        Kind.QUANTILE: drift.quantile,
    }[kind]


def missing_columns(contract: Contract) -> list[Column]:
    """The columns whose value may be missing: null, or the contract's default."""
    return [
        c
        for c in contract.source_columns
        if c.name not in contract.required and (c.nullable or c.default is not None)
    ]


def category_columns(contract: Contract) -> list[Column]:
    """The columns with few distinct values."""
    return [c for c in contract.columns.values() if c.categorical or c.type == "boolean"]


def quantile_columns(contract: Contract) -> list[Column]:
    """The columns with counts or measurements; numbers that identify something are left out."""
    return [
        c
        for c in contract.columns.values()
        if c.type in ("integer", "number")
        and c.name not in contract.key
        and not c.name.endswith("_id")
    ]


def read_figures(
    client: Client, contract: Contract, before: date, days: Sequence[date] | None
) -> dict[date, DayFigures]:
    """The newest of the days (of all without `days`) that ended before a date, and the days before
    it.
    """
    result = client.query(figures_query(contract, days), parameters={"before": before})
    missing = [c.name for c in missing_columns(contract)]
    categories = [c.name for c in category_columns(contract)]
    quantiles = [c.name for c in quantile_columns(contract)]
    return {
        day: DayFigures(
            rows,
            dict(zip(missing, lacking, strict=True)),
            dict(zip(categories, shares, strict=True)),
            dict(zip(quantiles, found, strict=True)),
        )
        for day, rows, lacking, shares, found in result.result_rows
    }


def figures_query(contract: Contract, days: Sequence[date] | None) -> str:
    """The query: one pass over the days, partition by partition.

    The days are in its text: passed as a parameter, a year of days is sent in another way, which
    the embedded ClickHouse does not support.
    """
    table = f"{ddl.DATABASE}.{contract.name}"
    missing = [f"countIf({_is_missing(c)})" for c in missing_columns(contract)]
    categories = [
        f"sumMap(map(ifNull(toString({c.name}), '{_NULL}'), toUInt64(1)))"
        for c in category_columns(contract)
    ]
    levels = ", ".join(map(str, QUANTILES))
    quantiles = [
        f"quantilesTDigestIf({levels})(assumeNotNull(toFloat64({c.name})), {c.name} IS NOT NULL)"
        for c in quantile_columns(contract)
    ]
    return (
        f"WITH (SELECT max(event_date) FROM {table}\n"
        f"  WHERE event_date < {{before:Date}} AND {Table.of_days(days)}) AS compared_day\n"
        "SELECT event_date, count() AS rows,\n"
        f"  CAST([{', '.join(missing)}], 'Array(UInt64)') AS missing,\n"
        f"  CAST([{', '.join(categories)}], 'Array(Map(String, UInt64))') AS categories,\n"
        f"  CAST([{', '.join(quantiles)}], 'Array(Array(Float64))') AS quantiles\n"
        f"FROM {table}\n"
        f"WHERE event_date BETWEEN compared_day - {contract.drift.trailing_days} AND compared_day\n"
        "GROUP BY event_date ORDER BY event_date"
    )


def compare(contract: Contract, figures: Mapping[date, DayFigures]) -> Compared:
    """Compare the newest of the days with the others."""
    drift = contract.drift
    if not figures:
        nothing = dict.fromkeys(Kind, "no day with rows has ended yet")
        return Compared(None, 0, (), nothing)
    day = max(figures)
    today, before = figures[day], [figures[d] for d in sorted(figures) if d < day]
    if len(before) < drift.least_days:
        text = f"{len(before)} days with rows before {day}; {drift.least_days} are needed"
        return Compared(day, len(before), (), dict.fromkeys(Kind, text))
    measures = [_volume(today, before)]
    not_validated: dict[Kind, str] = {}
    if today.rows < drift.least_rows:
        text = f"{today.rows} rows on {day}; {drift.least_rows} are needed"
        not_validated = {kind: text for kind in Kind if kind is not Kind.VOLUME}
    else:
        measures += [*_missing(today, before), *_categories(today, before)]
        measures += _quantiles(today, before)
    return Compared(day, len(before), tuple(measures), not_validated)


def _volume(today: DayFigures, before: Sequence[DayFigures]) -> DriftMeasure:
    rows = [day.rows for day in before]
    usual = median(rows)
    # A number of rows that one of those days had is usual, whatever the median is.
    is_usual = min(rows) <= today.rows <= max(rows)
    factor = max(today.rows, usual) / max(1.0, min(today.rows, usual))
    return DriftMeasure(Kind.VOLUME, "", "rows", today.rows, usual, 1.0 if is_usual else factor)


def _missing(today: DayFigures, before: Sequence[DayFigures]) -> list[DriftMeasure]:
    return [
        _share(
            Kind.MISSING,
            name,
            "missing",
            counts=[day.missing[name] for day in (today, *before)],
            rows=[day.rows for day in (today, *before)],
        )
        for name in today.missing
    ]


def _categories(today: DayFigures, before: Sequence[DayFigures]) -> list[DriftMeasure]:
    """For each column, the category that changed most."""
    days = (today, *before)
    found = []
    for name in today.categories:
        by_value = [
            _share(
                Kind.CATEGORY,
                name,
                f"share of {value}",
                counts=[day.categories[name].get(value, 0) for day in days],
                rows=[day.rows for day in days],
            )
            for value in sorted({value for day in days for value in day.categories[name]})
        ]
        found.append(max(by_value, key=lambda measure: measure.change))
    return found


def _share(
    kind: Kind, column: str, what: str, *, counts: Sequence[int], rows: Sequence[int]
) -> DriftMeasure:
    """The share of the day, and the shares of the days before."""
    now, *before = (count / of for count, of in zip(counts, rows, strict=True))
    usual = median(before)
    middle = (now + usual) / 2
    chance = STANDARD_ERRORS * sqrt(middle * (1 - middle) / rows[0])
    return DriftMeasure(kind, column, what, now, usual, max(0.0, abs(now - usual) - chance))


def _quantiles(today: DayFigures, before: Sequence[DayFigures]) -> list[DriftMeasure]:
    """For each column, the quantile that moved most, beyond its usual movement from day to day.

    A day on which no row has a value has no quantiles; the kind `missing` reports that.
    """
    found = []
    for name, now in today.quantiles.items():
        days = [day.quantiles[name] for day in before if not isnan(day.quantiles[name][0])]
        if not days or isnan(now[0]):
            continue
        usual = [median(values) for values in zip(*days, strict=True)]
        spread = usual[-1] - usual[0] or abs(usual[len(usual) // 2]) or 1.0
        moved = []
        for number, level in enumerate(QUANTILES):
            middle = usual[number]
            wander = STANDARD_ERRORS * _MAD_TO_SIGMA * median(abs(d[number] - middle) for d in days)
            change = max(0.0, abs(now[number] - middle) - wander) / spread
            what = f"{level:.0%} quantile"
            moved.append(DriftMeasure(Kind.QUANTILE, name, what, now[number], middle, change))
        found.append(max(moved, key=lambda measure: measure.change))
    return found


def _is_missing(column: Column) -> str:
    if column.default is None:
        return f"{column.name} IS NULL"
    if isinstance(column.default, bool):
        default = "true" if column.default else "false"
    elif isinstance(column.default, str):
        default = "'" + column.default.replace("\\", "\\\\").replace("'", "\\'") + "'"
    else:
        default = str(column.default)
    return f"ifNull({column.name} = {default}, true)"
