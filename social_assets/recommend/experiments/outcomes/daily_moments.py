"""The moments of a metric over the units of each variant, as of the end of each day.

Belongs here: the query that sums a metric by unit, after the first exposure and before it, and then
over units; and the running sums over days. Only one row a variant and day leaves ClickHouse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from social_assets.metrics.dimension import Dimension, TimePart
from social_assets.metrics.formula import Atom, Formula
from social_assets.metrics.measure import Aggregate
from social_assets.metrics.metric import Subject
from social_assets.metrics.registry import metric, subject_of
from social_assets.recommend.experiments.definition import Experiment, ExperimentError, parts_of
from social_assets.recommend.experiments.outcomes.exposed_units import (
    FIRST_EXPOSED,
    VARIANT,
    midnight,
    seconds_sql,
    units_sql,
)
from social_assets.recommend.experiments.statistics.moments import (
    BASE,
    EARLIER,
    EARLIER_BASE,
    VALUE,
    Moments,
    pairs_of,
)

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

DailyMoments = Mapping[date, Mapping[str, Moments]]
"""By day and variant: the moments of all units that count as of the end of the day."""

_DAY = timedelta(days=1)


def newest_complete_day(client: Client, experiment: Experiment) -> date | None:
    """The last day of which all facts of the experiment's metrics are there; None without facts.

    A fact's newest day still grows. A later day would count units whose outcome is not there yet.
    """
    names = (*experiment.goals, *(each.metric for each in experiment.guardrails))
    facts = dict.fromkeys(subject_of(name).fact for name in names)
    newest: list[date] = []
    for fact in facts:
        [(rows, day)] = client.query(f"SELECT count(), max(event_date) FROM {fact}").result_rows
        if not rows:
            return None
        newest.append(day)
    return min(newest) - _DAY


def read_daily(client: Client, experiment: Experiment, name: str, as_of: date) -> DailyMoments:
    """The moments of a metric for each day up to `as_of` on which the first units count."""
    rows = client.query(query_of(experiment, name, as_of)).result_rows
    return _running(tuple(_columns(experiment, name)), experiment, rows, as_of)


def query_of(experiment: Experiment, name: str, as_of: date) -> str:
    """The SELECT of sums by variant and day: units, each column, each product of two columns."""
    columns = tuple(_columns(experiment, name))
    key = experiment.unit.key_column
    day = f"toDate({FIRST_EXPOSED} + {seconds_sql(experiment.window)} - toIntervalMicrosecond(1))"
    sums = [f"sum({each})" for each in columns]
    products = [f"sum({columns[one]} * {columns[two]})" for one, two in pairs_of(len(columns))]
    return (
        f"WITH units AS (\n{units_sql(experiment, as_of)}\n),\n"
        f"outcomes AS (\n{_outcomes(experiment, name, as_of)}\n)\n"
        f"SELECT {VARIANT}, {day} AS day, count(), {', '.join([*sums, *products])}\n"
        f"FROM units LEFT JOIN outcomes USING ({key})\nGROUP BY {VARIANT}, day"
    )


def _outcomes(experiment: Experiment, name: str, as_of: date) -> str:
    """A SELECT of the columns of each unit that has rows in the fact; others have zeros."""
    subject, key = subject_of(name), experiment.unit.key_column
    atoms = tuple(dict.fromkeys(metric(name).formula.atoms()))
    periods = {"after": _after(experiment), "earlier": _earlier(experiment)}
    sums = [
        f"{_of_unit(subject, atom, within)} AS {period}_{place}"
        for period, within in periods.items()
        for place, atom in enumerate(atoms)
    ]
    values = [
        f"toFloat64(ifNull({sql}, 0)) AS {column}"
        for column, sql in _columns(experiment, name, atoms).items()
    ]
    first = midnight(experiment.start) - experiment.before
    return (
        f"SELECT {key}, {', '.join(values)}\nFROM (\n"
        f"SELECT {key}, {', '.join(sums)}\n"
        f"FROM (SELECT * FROM {subject.fact}\n"
        f"  WHERE event_date >= '{first.date()}' AND event_date <= '{as_of}'\n"
        f"    AND {key} IN (SELECT {key} FROM units)) AS fact\n"
        f"INNER JOIN units USING ({key})\nGROUP BY {key})"
    )


def _columns(experiment: Experiment, name: str, atoms: Sequence[Atom] = ()) -> dict[str, str]:
    """The columns of a unit, each with its SQL over the sums of the unit."""
    parts = parts_of(metric(name).formula)
    if parts is None:
        raise ExperimentError(f"experiment {experiment.name}: metric {name} has no value of a unit")
    numerator, denominator = parts
    found = {VALUE: _sql(numerator, "after", atoms)}
    if denominator is not None:
        found[BASE] = _sql(denominator, "after", atoms)
    if experiment.before:
        found[EARLIER] = _sql(numerator, "earlier", atoms)
        if denominator is not None:
            found[EARLIER_BASE] = _sql(denominator, "earlier", atoms)
    return found


def _sql(formula: Formula, period: str, atoms: Sequence[Atom]) -> str:
    return formula.sql(lambda atom: f"{period}_{atoms.index(atom)}") if atoms else ""


def _of_unit(subject: Subject, atom: Atom, within: str) -> str:
    """SQL of a measure over the rows of one unit in a period."""
    measure = subject.measure(atom.measure)
    restrictions = [_equals(subject, name, values) for name, values in atom.only]
    condition = " AND ".join([within, *restrictions])
    if measure.aggregate is Aggregate.DISTINCT:
        # Of one user: whether there is a row. The sum over users is the number of them.
        return f"countIf({condition}) > 0"
    return measure.from_fact(condition, is_final=True)


def _equals(subject: Subject, name: str, values: Sequence[str]) -> str:
    dimension = subject.dimension(name)
    if dimension is None:
        raise ExperimentError(f"subject {subject.name} has no dimension {name}")
    column = dimension.column
    if isinstance(dimension, TimePart):
        column = f"toString({column.format(time='event_time')})"
    return f"{column} IN ({', '.join(_literal(dimension, value) for value in values)})"


def _literal(dimension: Dimension, value: str) -> str:
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return dimension.literal_of(value) or f"'{quoted}'"


def _after(experiment: Experiment) -> str:
    until = f"{FIRST_EXPOSED} + {seconds_sql(experiment.window)}"
    return f"event_time >= {FIRST_EXPOSED} AND event_time < {until}"


def _earlier(experiment: Experiment) -> str:
    since = f"{FIRST_EXPOSED} - {seconds_sql(experiment.before)}"
    return f"event_time >= {since} AND event_time < {FIRST_EXPOSED}"


def _running(
    columns: Sequence[str],
    experiment: Experiment,
    rows: Sequence[Sequence[Any]],
    as_of: date,
) -> DailyMoments:
    """Sums of days become moments as of each day: of all units that count by then."""
    import numpy as np

    if not rows:
        return {}
    names = [each.name for each in experiment.variants]
    first = min(row[1] for row in rows)
    days = [first + number * _DAY for number in range((as_of - first).days + 1)]
    sums = np.zeros((len(days), len(names), len(rows[0]) - 2))
    for variant, day, *values in rows:
        sums[(day - first).days, names.index(variant)] = values
    sums = sums.cumsum(axis=0)
    size = 1 + len(columns)
    return {
        day: {
            name: Moments.of_sums(columns, int(found[0]), found[1:size], found[size:])
            for name, found in zip(names, of_day, strict=True)
        }
        for day, of_day in zip(days, sums, strict=True)
    }
