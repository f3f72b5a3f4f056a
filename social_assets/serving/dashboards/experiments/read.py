"""Reads the results of experiments for their dashboard.

Belongs here: one function a tile. The asset `recsys/experiment_results` writes the tables; before
its first run the tiles are empty.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta

from social_assets.metrics.grain import Grain
from social_assets.metrics.registry import UnknownMetricError, metric
from social_assets.recommend.experiments.results_tables import EXPERIMENTS, RESULTS
from social_assets.serving.charts.figures import Cell, ColumnRole, TileColumn, TileFigures
from social_assets.serving.charts.number_text import RATIO
from social_assets.serving.dashboards.health.tile import HealthSource
from social_assets.warehouse.tables import is_of_missing_table

TABLES = (EXPERIMENTS.name, RESULTS.name)
_EXPERIMENT = TileColumn("experiment", "Experiment", ColumnRole.GROUP)
_COMPARED = TileColumn("compared", "Comparison", ColumnRole.GROUP)
_LIFT = TileColumn("lift", "Lift", ColumnRole.VALUE, RATIO)
_BOUNDS = (
    TileColumn("lift_low", "Lower bound", ColumnRole.LOW, RATIO),
    TileColumn("lift_high", "Upper bound", ColumnRole.HIGH, RATIO),
)
_NEVER = date(1970, 1, 1)
_OVER_TIME_FROM = 100
"""Units of both variants from which lifts are drawn over time: earlier ones are mostly chance."""


def recommendations(source: HealthSource) -> TileFigures:
    """What to do with each experiment and why, as of the last analysis."""
    found = _rows(
        source,
        "SELECT experiment, trim(concat(action, ' ', variant)), reason, as_of,\n"
        f"  arraySum(counted), planned_units FROM {EXPERIMENTS.name} ORDER BY experiment",
    )
    columns = (
        _EXPERIMENT,
        TileColumn("action", "What to do", ColumnRole.TEXT),
        TileColumn("reason", "Why", ColumnRole.TEXT),
        TileColumn("as_of", "Up to", ColumnRole.INDEX),
        TileColumn("units", "Complete units", ColumnRole.VALUE, is_whole=True),
        TileColumn("planned", "Planned", ColumnRole.VALUE, is_whole=True),
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (str(name), str(action), str(why), _day(day), int(str(units)), int(str(planned)))
        for name, action, why, day, units, planned in found
    )
    return TileFigures(columns, rows)


def lifts(source: HealthSource) -> TileFigures:
    """The lift of each metric and treatment on the newest day of the range, with its interval."""
    found = _rows(
        source,
        "SELECT experiment, metric, role, variant, lift, lift_low, lift_high\n"
        f"FROM {RESULTS.name} WHERE lift IS NOT NULL AND (experiment, as_of) IN (\n"
        f"  SELECT experiment, max(as_of) FROM {RESULTS.name} WHERE {_within(source)}\n"
        "  GROUP BY experiment)\nORDER BY experiment, role, metric, variant",
    )
    named = _naming([(str(row[0]), str(row[3])) for row in found])
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            named(str(name), str(measured), str(role), str(variant)),
            _number(lift),
            _number(low),
            _number(high),
        )
        for name, measured, role, variant, lift, low, high in found
    )
    return TileFigures((_COMPARED, _LIFT, *_BOUNDS), rows)


def lifts_over_time(source: HealthSource) -> TileFigures:
    """The lift of each goal as it was seen on each day of the range."""
    found = _rows(
        source,
        "SELECT as_of, experiment, metric, role, variant, lift\n"
        f"FROM {RESULTS.name} WHERE role = 'goal' AND {_within(source)}\n"
        f"  AND units + control_units >= {_OVER_TIME_FROM}\n"
        "ORDER BY experiment, metric, variant, as_of",
    )
    named = _naming([(str(row[1]), str(row[4])) for row in found])
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            _midnight(day),
            named(str(name), str(measured), str(role), str(variant)),
            _number(lift),
        )
        for day, name, measured, role, variant, lift in found
    )
    columns = (TileColumn("bucket", "Time", ColumnRole.TIME), _COMPARED, _LIFT)
    return TileFigures(columns, rows, Grain.DAY)


def units(source: HealthSource) -> TileFigures:
    """The units of each variant beside the declared parts, and those that are left out."""
    found = _rows(
        source,
        "SELECT experiment, variants, exposed, counted, sample_ratio_p_value,\n"
        "  in_several_variants + in_unknown_variants, assigned_otherwise\n"
        f"FROM {EXPERIMENTS.name} ORDER BY experiment",
    )
    rows: list[tuple[Cell, ...]] = []
    for name, variants, exposed, counted, ratio, left_out, otherwise in found:
        pairs = zip(_list(variants), _list(exposed), _list(counted), strict=True)
        numbers = "; ".join(f"{v}: {int(e):,} ({int(c):,})" for v, e, c in pairs)
        total = sum(int(each) for each in _list(exposed))
        p_value = float(str(ratio))
        rows.append(
            (
                str(name),
                numbers,
                "mismatch" if p_value < 0.001 else "as declared",
                total,
                int(str(left_out)),
                int(str(otherwise)),
            )
        )
    columns = (
        _EXPERIMENT,
        TileColumn("variants", "Exposed (complete)", ColumnRole.TEXT),
        TileColumn("ratio", "Sample ratio", ColumnRole.TEXT),
        TileColumn("total", "Units", ColumnRole.VALUE, is_whole=True),
        TileColumn("left_out", "Left out", ColumnRole.VALUE, is_whole=True),
        TileColumn("otherwise", "Not as assigned", ColumnRole.VALUE, is_whole=True),
    )
    return TileFigures(columns, tuple(rows))


def _naming(compared: Sequence[tuple[str, str]]) -> Callable[[str, str, str, str], str]:
    """How a comparison is named: without experiment or variant where all have the same one."""
    experiments = {name for name, _ in compared}
    has_several = any(
        len({variant for name, variant in compared if name == each}) > 1 for each in experiments
    )

    def label(experiment: str, measured: str, role: str, variant: str) -> str:
        try:
            title = metric(measured).title
        except UnknownMetricError:
            title = measured
        parts = [experiment] if len(experiments) > 1 else []
        parts += [variant] if has_several else []
        guard = " (guard)" if role == "guardrail" else ""
        return ": ".join([*parts, title + guard])

    return label


def _within(source: HealthSource) -> str:
    """SQL of the days of the page's range."""
    first = source.start.astimezone(UTC).date()
    last = (source.end.astimezone(UTC) - timedelta(microseconds=1)).date()
    return f"as_of BETWEEN '{first}' AND '{last}'"


def _rows(source: HealthSource, query: str) -> list[tuple[object, ...]]:
    """The rows of a query; none if the tables are not made yet."""
    try:
        return [tuple(row) for row in source.client.query(query).result_rows]
    except Exception as error:
        if is_of_missing_table(error):
            return []
        raise


def _day(day: object) -> str:
    return "" if day == _NEVER else str(day)


def _midnight(day: object) -> datetime:
    return datetime.fromisoformat(str(day))


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))


def _list(values: object) -> list[str]:
    return [str(each) for each in values] if isinstance(values, list | tuple) else []
