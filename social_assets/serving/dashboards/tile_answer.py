"""The answer of one tile, as its page reads it: numbers, texts, specification, and where from.

Belongs here: asking a tile's questions, and the JSON and CSV of what comes back.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from social_assets.metrics.answer import Answer
from social_assets.metrics.answer_invariants import InvariantState
from social_assets.metrics.formula import Additivity, Formula, Ratio, Share
from social_assets.metrics.metric import Metric
from social_assets.metrics.planner.question import Question
from social_assets.metrics.registry import subject_of
from social_assets.serving.charts.figures import ColumnRole, TileFigures, figures_of
from social_assets.serving.charts.number_text import change_text, number_text
from social_assets.serving.charts.specification import has_values, specification
from social_assets.serving.charts.tile import Chart, Tile
from social_assets.serving.dashboards.asked import (
    Asked,
    not_applied,
    question_of,
    sparkline_question,
)
from social_assets.serving.dashboards.dashboard import AnyTile
from social_assets.serving.dashboards.health.tile import HealthSource, HealthTile

Ask = Callable[[Question], Answer]

_DASH = "\u2013"
_TEXTS = (ColumnRole.TIME, ColumnRole.GROUP, ColumnRole.TEXT)


@dataclass(frozen=True)
class TileAnswer:
    """The figures of a tile, those of its sparkline, and what they were read from."""

    tile: AnyTile
    asked: Asked
    figures: TileFigures
    spark: TileFigures | None
    answers: tuple[Answer, ...]
    read_at: datetime


def answer_of(tile: Tile, asked: Asked, ask: Ask) -> TileAnswer:
    """The answer of a tile of metrics. Raises QuestionError, and what asking raises."""
    answer = ask(question_of(tile, asked))
    figures = figures_of(tile, answer)
    if tile.chart is not Chart.NUMBER:
        return TileAnswer(tile, asked, figures, None, (answer,), answer.asked_at)
    line = ask(sparkline_question(tile, asked))
    spark = figures_of(tile, line)
    return TileAnswer(tile, asked, figures, spark, (answer, line), answer.asked_at)


def questions_of(tile: Tile, asked: Asked) -> tuple[Question, ...]:
    """What `answer_of` asks. Raises QuestionError."""
    if tile.chart is not Chart.NUMBER:
        return (question_of(tile, asked),)
    return question_of(tile, asked), sparkline_question(tile, asked)


def health_answer_of(tile: HealthTile, asked: Asked, source: HealthSource) -> TileAnswer:
    """The answer of a tile of the platform's own figures."""
    return TileAnswer(tile, asked, tile.read(source), None, (), datetime.now(UTC))


def document(answer: TileAnswer) -> dict[str, Any]:
    """The answer as JSON has it."""
    tile, figures = answer.tile, answer.figures
    is_empty = not has_values(figures)
    drawn = answer.spark if tile.chart is Chart.NUMBER else figures
    return {
        "name": tile.name,
        "title": tile.title,
        "chart": tile.chart.value,
        "is_empty": is_empty,
        "empty": _empty_text(answer) if is_empty else "",
        "number": _number(answer) if tile.chart is Chart.NUMBER and not is_empty else None,
        "spec": None if drawn is None or is_empty else specification(tile, drawn),
        "table": _table(figures),
        "drill": tile.drill,
        "drill_by": [each.name for each in figures.columns if each.role is ColumnRole.GROUP],
        "about": _about(answer),
    }


def to_csv(answer: TileAnswer) -> str:
    """The figures as CSV (RFC 4180): numbers with all digits, times in ISO 8601."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([column.name for column in answer.figures.columns])
    for row in answer.figures.rows:
        writer.writerow([_csv_cell(cell) for cell in row])
    return text.getvalue()


def _csv_cell(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat()
    text = str(cell)
    # A spreadsheet would run a text that begins like a formula.
    is_formula = isinstance(cell, str) and text[:1] in ("=", "+", "-", "@", "\t", "\r")
    return f"'{text}" if is_formula else text


def _table(figures: TileFigures) -> dict[str, Any]:
    columns = [
        {
            "name": column.name,
            "title": column.title,
            "is_number": column.role not in _TEXTS,
        }
        for column in figures.columns
    ]
    groups = figures.positions(ColumnRole.GROUP)
    keys = [[str(row[at]) for at in groups] for row in figures.rows]
    return {"columns": columns, "rows": figures.texts(), "groups": keys}


def _number(answer: TileAnswer) -> dict[str, Any]:
    figures = answer.figures
    at, before = figures.position(ColumnRole.VALUE), figures.position(ColumnRole.COMPARED)
    row = figures.rows[0]
    column = figures.columns[at or 0]
    value, compared = row[at or 0], row[before] if before is not None else None
    number = value if isinstance(value, int | float) else None
    shown: dict[str, Any] = {
        "text": number_text(number, column.unit, is_whole=column.is_whole, is_short=True),
        "full": column.text(value),
        "before": "",
        "change": "",
        "mood": "",
    }
    change_at = figures.position(ColumnRole.CHANGE)
    change = row[change_at] if change_at is not None else None
    if isinstance(compared, int | float):
        text = number_text(compared, column.unit, is_whole=column.is_whole, is_short=True)
        shown["before"] = f"{text} in the period before"
    elif before is not None:
        shown["before"] = "no figures of the period before"
    if isinstance(change, int | float):
        shown["change"] = change_text(change)
        good = answer.answers[0].metrics[0].rises_is_good if answer.answers else None
        if good is not None and change:
            shown["mood"] = "good" if (change > 0) == good else "bad"
        shown["arrow"] = "up" if change > 0 else "down" if change < 0 else ""
    return shown


def _empty_text(answer: TileAnswer) -> str:
    if isinstance(answer.tile, HealthTile):
        return answer.tile.empty
    if answer.asked.filters or answer.asked.drill:
        return "No records match. Choose a longer range, or remove a filter."
    metric = answer.answers[0].metrics[0]
    missing = f"No value in this range: it needs {metric.needs}." if metric.needs else ""
    subject = subject_of(metric.name)
    if subject.nothing:
        return subject.nothing
    return (
        f"{missing or 'No records in this range.'} Choose a longer range; if the platform is new, "
        f"{subject.filled_by}."
    )


def _about(answer: TileAnswer) -> dict[str, Any]:
    tile, asked = answer.tile, answer.asked
    start, end = asked.start, asked.end
    about: dict[str, Any] = {
        "range": f"{start:%Y-%m-%d %H:%M} {_DASH} {end:%Y-%m-%d %H:%M} UTC",
        "zone": asked.zone,
        "read_at": f"{answer.read_at:%Y-%m-%d %H:%M:%S} UTC",
        "note": tile.note,
    }
    if isinstance(tile, HealthTile):
        formula = {"title": tile.title, "formula": tile.formula, "denominator": "", "source": ""}
        return {**about, "metrics": [formula], "tables": list(tile.tables), "rows_read": None}
    ignored = not_applied(tile, asked)
    if ignored:
        names = ", ".join(ignored)
        about["note"] = f"{tile.note} These metrics are not known by {names}: not filtered.".strip()
    tables = dict.fromkeys(table for each in answer.answers for table in each.tables)
    first = answer.answers[0]
    return {
        **about,
        "newest": _moment(first.freshness.newest_event),
        "complete_until": _moment(first.freshness.watermark),
        "notes": list(first.notes),
        "invariants": _invariants(answer),
        "metrics": [_about_metric(each) for each in answer.answers[0].metrics],
        "tables": list(tables),
        "rows_read": f"{sum(each.rows_read for each in answer.answers):,}",
        "seconds": f"{sum(each.seconds for each in answer.answers):.3f}",
    }


_SEVERITY = (InvariantState.BROKEN, InvariantState.NOT_CHECKED, InvariantState.HOLD)


def _invariants(answer: TileAnswer) -> dict[str, str]:
    """What the invariants say of the answer that they say the worst of."""
    worst = min(
        (each.invariants for each in answer.answers), key=lambda i: _SEVERITY.index(i.state)
    )
    return {"state": worst.state.value, "text": worst.in_words()}


def _about_metric(metric: Metric) -> dict[str, str]:
    summed = {
        Additivity.ADDITIVE: "",
        Additivity.FROM_STATES: "Never summed over days or groups: each is counted on its own.",
        Additivity.RATIO: "",
        Additivity.LEVEL: "Summed over accounts, never over days: a period has its last values.",
        Additivity.AS_REPORTED: "The platform's own figure.",
    }
    return {
        "title": metric.title,
        "description": metric.description,
        "unit": metric.unit,
        "formula": metric.formula.in_words(),
        "denominator": _denominator(metric.formula),
        "source": metric.source,
        "subject": subject_of(metric.name).description,
        "additivity": summed[metric.additivity],
    }


def _denominator(formula: Formula) -> str:
    if isinstance(formula, Ratio):
        return formula.denominator.in_words()
    if isinstance(formula, Share):
        return f"{formula.of.in_words()}, over all groups of the answer"
    return ""


def _moment(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
