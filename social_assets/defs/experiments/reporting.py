"""What the asset of experiments reports to Dagster: texts, a table, a plot an experiment.

Belongs here: the conversion of analyses to Dagster's metadata.
"""

from __future__ import annotations

from collections.abc import Sequence

from dagster import MetadataValue, TableColumn, TableRecord, TableSchema

from social_assets.defs.pictures import new_figure, picture
from social_assets.recommend.experiments.analysis import Analysis, ComparedMetric

_COLUMNS = ("experiment", "metric", "variant", "units", "lift", "at_every_look", "p_adjusted")


def recommendations_text(analyses: Sequence[Analysis]) -> str:
    """What to do with each experiment, as Markdown."""
    lines = [f"- **{each.experiment.name}**: {each.recommendation}" for each in analyses]
    return "\n".join(lines) or "no experiment is declared"


def results_metadata(analyses: Sequence[Analysis]) -> dict[str, MetadataValue]:
    """The newest results of all experiments, as a table."""
    records = [
        TableRecord(dict(zip(_COLUMNS, _cells(each, row), strict=True)))
        for each in analyses
        for row in each.newest
    ]
    schema = TableSchema([TableColumn(name) for name in _COLUMNS])
    return {"results": MetadataValue.table(records, schema)} if records else {}


def interval_plots(analyses: Sequence[Analysis]) -> dict[str, MetadataValue]:
    """The lift of each metric with its interval, one plot an experiment."""
    return {
        f"lift_of_{each.experiment.name}": _plot(each.experiment.name, drawn)
        for each in analyses
        if (drawn := [row for row in each.newest if row.found.lift_always is not None])
    }


def _cells(of: Analysis, row: ComparedMetric) -> tuple[str, ...]:
    found, interval = row.found, row.found.lift_always
    return (
        of.experiment.name,
        row.metric if row.is_goal else f"{row.metric} (guardrail)",
        row.variant,
        f"{found.units:,} and {found.control_units:,}",
        f"{found.difference:+.4g}" if found.lift is None else f"{found.lift:+.2%}",
        f"{found.always.low:+.4g} to {found.always.high:+.4g}"
        if interval is None
        else f"{interval.low:+.2%} to {interval.high:+.2%}",
        "" if row.adjusted_p_value is None else f"{row.adjusted_p_value:.3g}",
    )


def _plot(name: str, rows: Sequence[ComparedMetric]) -> MetadataValue:
    figure, axes = new_figure()
    labels = [f"{row.metric}, {row.variant}" for row in rows]
    lifts = [100 * (row.found.lift or 0.0) for row in rows]
    ends = [row.found.lift_always for row in rows]
    spread = [
        [lift - 100 * end.low for lift, end in zip(lifts, ends, strict=True) if end],
        [100 * end.high - lift for lift, end in zip(lifts, ends, strict=True) if end],
    ]
    axes.errorbar(lifts, labels, xerr=spread, fmt="o", capsize=3)
    axes.axvline(0, color="grey", linewidth=1)
    axes.set(xlabel="lift in percent, with the interval that holds at every look", title=name)
    axes.margins(y=0.3)
    return picture(figure, f"lift of the metrics of {name}")
