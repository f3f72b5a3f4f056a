"""What the asset of forecasts reports to Dagster: figures, a table, a plot of the band.

Belongs here: the conversion of forecasts to Dagster's metadata.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from statistics import median

import numpy as np
from dagster import MetadataValue, TableColumn, TableRecord, TableSchema

from social_assets.defs.pictures import new_figure, picture
from social_assets.forecasts.engagement import Forecasts, Member
from social_assets.forecasts.forecast import SeriesForecast

_COLUMNS = ("series", "by", "model", "error", "error_of_seasonal_naive", "coverage_95")
_MOST_SHOWN = 12
_DAYS_NAMED = 5


def forecasts_metadata(
    found: Sequence[Forecasts], pending: Sequence[date]
) -> dict[str, MetadataValue]:
    """Figures of all series, the series of platforms as a table, and the plot of all together."""
    shown: dict[str, MetadataValue] = {
        "series": MetadataValue.int(sum(len(each.series) for each in found))
    }
    if pending:
        named = ", ".join(map(str, pending[:_DAYS_NAMED]))
        shown["incomplete_days"] = MetadataValue.text(named)
    for each in found:
        grain = each.rhythm.grain.word
        models = Counter(series.model for series in each.series.values())
        ranked = ", ".join(f"{name} {count:,}" for name, count in models.most_common())
        shown[f"{grain}_begins"] = MetadataValue.text(f"{each.end:%Y-%m-%d %H:%M} UTC")
        shown[f"{grain}_models"] = MetadataValue.text(ranked)
        tests = [series.backtest for series in each.series.values() if series.backtest]
        if tests:
            shown[f"{grain}_median_error"] = _rounded(median(test.error for test in tests))
            shown[f"{grain}_median_naive_error"] = _rounded(
                median(test.naive_error for test in tests)
            )
            for level in (80, 95):
                covered = float(np.mean([test.coverage[level] for test in tests]))
                shown[f"{grain}_coverage_{level}"] = _rounded(covered)
        if (whole := each.series.get(Member())) is not None:
            shown[f"{grain}_plot"] = _plot(each, whole)
    return shown | _table(found)


def _table(found: Sequence[Forecasts]) -> dict[str, MetadataValue]:
    rows = [
        (str(member), each.rhythm.grain.word, series.model, *_measures(series))
        for each in found
        for member, series in each.series.items()
        if not member.account
    ][:_MOST_SHOWN]
    records = [TableRecord(dict(zip(_COLUMNS, row, strict=True))) for row in rows]
    schema = TableSchema([TableColumn(name) for name in _COLUMNS])
    return {"platforms": MetadataValue.table(records, schema)} if records else {}


def _measures(series: SeriesForecast) -> tuple[str, str, str]:
    test = series.backtest
    if test is None:
        return ("", "", "")
    return (f"{test.error:.3f}", f"{test.naive_error:.3f}", f"{test.coverage[95]:.1%}")


def _plot(of: Forecasts, series: SeriesForecast) -> MetadataValue:
    figure, axes = new_figure()
    horizon = of.rhythm.horizon
    if series.backtest:
        past = np.arange(-horizon, 0)
        axes.plot(past, series.backtest.actual, color="black", label="actual")
        axes.fill_between(
            past, series.backtest.last.lower(95), series.backtest.last.upper(95), alpha=0.2
        )
    coming = np.arange(horizon)
    axes.plot(coming, series.band.mean, linestyle="--", label=f"forecast by {series.model}")
    axes.fill_between(coming, series.band.lower(95), series.band.upper(95), alpha=0.2, label="95 %")
    word = of.rhythm.grain.word
    axes.set(xlabel=f"{word}s from {of.end:%Y-%m-%d %H:%M} UTC", title=f"engagement by {word}")
    axes.set_ylim(bottom=0)
    axes.legend(fontsize="small")
    return picture(figure, f"engagement by {word} with its band")


def _rounded(value: float) -> MetadataValue:
    return MetadataValue.float(round(value, 4))
