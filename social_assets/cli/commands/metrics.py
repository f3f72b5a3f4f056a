"""`social-assets metrics` and `social-assets query`: what can be asked, and asking it.

Belongs here: reading the options and printing. What a metric means, and how a question is answered,
belongs to `metrics`.
"""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from resources.settings.home import Home
from social_assets.cli.home_use import needs_no_home, reads_warehouse
from social_assets.cli.printing.json_text import as_json
from social_assets.cli.printing.output_file import (
    FILE_FORM,
    OUTPUT,
    form_of,
    new_file,
    write_binary,
)
from social_assets.cli.printing.row_table import RowTable
from social_assets.cli.printing.terminal import FORM, out, print_json, print_rows, screen_width

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from social_assets.metrics.answer import Answer
    from social_assets.metrics.metric import Metric
    from social_assets.metrics.planner.read_question import Texts

_LISTED = ("name", "unit", "additivity", "grains", "formula", "source")
_OPTIONS = {
    "metrics": "METRICS",
    "order_by": "--order-by",
    "with_others": "--others",
}
"""How the command line calls the parameters of a question, other than by `--` and their name."""


@click.command(short_help="List the metrics, or explain one.")
@click.argument("metric", required=False)
@FORM
@needs_no_home
def metrics(metric: str | None, form: str) -> None:
    """List every metric with unit, formula, additivity, grains, dimensions; with METRIC, one.

    Additivity says whether values may be summed: only `additive` ones may, over time and over every
    dimension.
    """
    from social_assets.metrics.registry import UnknownMetricError
    from social_assets.metrics.registry import metric as metric_named
    from social_assets.metrics.registry import metrics as all_metrics
    from social_assets.metrics.registry import subjects as all_subjects

    try:
        chosen = all_metrics() if metric is None else (metric_named(metric),)
    except UnknownMetricError as error:
        raise click.UsageError(f"METRIC: {error}") from error
    if form == "json":
        print_json([_document(each) for each in chosen])
        return
    if metric is not None:
        for name, value in _document(chosen[0]).items():
            out.print(f"{name:<12}{_words(value)}", markup=False)
        return
    for subject in all_subjects():
        out.print(f"{subject.name}: {subject.description}", markup=False, style="bold")
        known = ", ".join(each.name for each in subject.dimensions)
        out.print(f"dimensions: {known}\n", markup=False)
        print_rows(_LISTED, [_summary(each) for each in subject.metrics], form)
        out.print()
    out.print("Explain one: social-assets metrics METRIC")
    out.print("Ask for some: social-assets query likes,reach --by platform --range last_7_days")


@click.command(short_help="Ask for metrics by time and dimension.")
@click.argument("asked", metavar="METRICS")
@click.option("--by", default="", help="Dimensions that divide the answer: platform,account.")
@click.option("--grain", default="", help="hour, day, week, month or total. Default: total.")
@click.option("--from", "start", default="", help="First day, or a time: 2026-11-01T09:00.")
@click.option("--to", "end", default="", help="Last day, which counts; or a time, which does not.")
@click.option("--range", "preset", default="", help="last_7_days, last_24_hours, yesterday ...")
@click.option(
    "--where",
    multiple=True,
    metavar="DIMENSION=VALUE,...",
    help="Only these. May be repeated; put a value with a comma in double quotes.",
)
@click.option("--zone", default="", help="Time zone of days and hours. Default: UTC.")
@click.option("--compare", default="", help="previous (the period before) or year.")
@click.option(
    "--order-by", default="", help="A metric, greatest first; -METRIC for the smallest first."
)
@click.option("--limit", type=int, default=1_000, show_default=True, help="Most groups.")
@click.option("--others", is_flag=True, help="Show the groups beyond the limit as one, `others`.")
@FILE_FORM
@OUTPUT
@reads_warehouse
def query(
    home: Home,
    /,
    asked: str,
    form: str | None,
    output: Path | None,
    **texts: str | int | tuple[str],
) -> None:
    """Answer a question about METRICS, such as likes,engagement_rate.

    The answer is read from the coarsest tables that give it exactly; the foot of the table names
    them. `social-assets metrics` lists what can be asked.
    """
    del home
    from social_assets.metrics.planner.question import QuestionError
    from social_assets.operate.question import answer_to

    try:
        answer = answer_to(_texts(asked, texts))
    except QuestionError as error:
        called = _OPTIONS.get(error.parameter, f"--{error.parameter}")
        raise click.UsageError(f"{called}: {error.problem}") from error
    chosen = form or form_of(output)
    if chosen == "parquet":
        write_binary(lambda file: _write_parquet(answer, file), output)
        return
    text = {"table": _table, "json": _json, "csv": _csv}[chosen]
    if output is None:
        click.echo(text(answer, screen_width()), nl=False)
        sys.stdout.flush()
        return
    with new_file(output) as file:
        file.write(text(answer, None))


def _document(metric: Metric) -> dict[str, object]:
    from social_assets.metrics.registry import subject_of

    subject = subject_of(metric.name)
    return {
        "name": metric.name,
        "title": metric.title,
        "description": metric.description,
        "unit": metric.unit,
        "formula": metric.formula.in_words(),
        "additivity": metric.additivity.value,
        "grains": [grain.word for grain in metric.grains],
        "dimensions": [dimension.name for dimension in subject.dimensions],
        "subject": subject.name,
        "source": metric.source,
    }


def _summary(metric: Metric) -> tuple[str, ...]:
    first, last = metric.grains[0].word, metric.grains[-1].word
    grains = first if first == last else f"{first} to {last}"
    formula = metric.formula.in_words()
    return (metric.name, metric.unit, metric.additivity.value, grains, formula, metric.source)


def _words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _texts(asked: str, options: Mapping[str, object]) -> Texts:
    from social_assets.metrics.planner.read_question import Texts

    given = dict(options)
    return Texts(
        metrics=_names(asked),
        start=str(given["start"]),
        end=str(given["end"]),
        range=str(given["preset"]),
        grain=str(given["grain"]),
        by=_names(str(given["by"])),
        where=_filters(given["where"]),  # type: ignore[arg-type]
        zone=str(given["zone"]),
        compare=str(given["compare"]),
        order_by=str(given["order_by"]),
        limit=int(str(given["limit"])),
        with_others=bool(given["others"]),
    )


def _names(text: str) -> list[str]:
    return [name for part in text.split(",") if (name := part.strip())]


def _filters(given: Sequence[str]) -> dict[str, list[str]]:
    """The values of each dimension: `account=12` and `account=13` are two of one."""
    found: dict[str, list[str]] = {}
    for text in given:
        name, equals, values = text.partition("=")
        if not equals:
            raise click.UsageError(f"--where: {text!r} names no value; write DIMENSION=VALUE")
        found.setdefault(name.strip(), []).extend(next(csv.reader([values]), []))
    return found


def _table(answer: Answer, width: int | None) -> str:
    from social_assets.metrics.flat_rows import CHANGE, column_names, flat_rows

    written = io.StringIO()
    names = column_names(answer)
    table = RowTable(names, width, written.write)
    table.add(
        [
            [_changed(cell) if name.endswith(CHANGE) else _rounded(cell) for name, cell in named]
            for named in (zip(names, row, strict=True) for row in flat_rows(answer))
        ]
    )
    table.end()
    return f"{written.getvalue()}\n{_foot(answer)}\n"


def _changed(cell: object) -> object:
    return f"{cell:+.1%}" if isinstance(cell, float) else cell


def _rounded(cell: object) -> object:
    """A number as people read it: whole ones without a point, others with a few digits."""
    if not isinstance(cell, float):
        return cell
    if cell == int(cell):
        return int(cell)
    return round(cell, 2 if abs(cell) >= 100 else 4)


def _foot(answer: Answer) -> str:
    question = answer.question
    zone = question.time_zone
    start, end = (each.astimezone(zone) for each in (question.start, question.end))
    units = ", ".join(f"{each.name} in {each.unit}" for each in answer.metrics)
    freshness, notes = answer.freshness, "".join(f"\n{note}" for note in answer.notes)
    newest = _time(answer, freshness.newest_event)
    until = _time(answer, freshness.watermark)
    return (
        f"{units}\n"
        f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}, {question.zone}\n"
        f"from {', '.join(answer.tables)}: {answer.rows_read:,} rows read in "
        f"{answer.seconds * 1000:.0f} ms\n"
        f"newest event {newest}, complete until {until}\n"
        f"invariants {answer.invariants.in_words()}{notes}"
    )


def _time(answer: Answer, at: datetime | None) -> str:
    return "unknown" if at is None else f"{at.astimezone(answer.question.time_zone):%Y-%m-%d %H:%M}"


def _json(answer: Answer, width: int | None) -> str:
    from social_assets.metrics.flat_rows import column_names, flat_rows

    del width
    names = column_names(answer)
    question, freshness, invariants = answer.question, answer.freshness, answer.invariants
    document = {
        "metrics": [_document(each) for each in answer.metrics],
        "from": question.start.isoformat(),
        "to": question.end.isoformat(),
        "zone": question.zone,
        "grain": question.grain.word,
        "tables": answer.tables,
        "rows_read": answer.rows_read,
        "seconds": round(answer.seconds, 6),
        "asked_at": answer.asked_at.isoformat(),
        "newest_event": freshness.newest_event and freshness.newest_event.isoformat(),
        "watermark": freshness.watermark and freshness.watermark.isoformat(),
        "is_complete": freshness.is_complete,
        "invariants": {
            "state": invariants.state.value,
            "broken_days": [day.isoformat() for day in invariants.broken_days],
            "unchecked_days": [day.isoformat() for day in invariants.unchecked_days],
            "checked_at": invariants.checked_at and invariants.checked_at.isoformat(),
        },
        "notes": answer.notes,
        "rows": [dict(zip(names, row, strict=True)) for row in flat_rows(answer)],
    }
    return as_json(document) + "\n"


def _csv(answer: Answer, width: int | None) -> str:
    from social_assets.metrics.flat_rows import column_names, flat_rows

    del width
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(column_names(answer))
    writer.writerows(flat_rows(answer))
    return written.getvalue()


def _write_parquet(answer: Answer, output: Path) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from social_assets.metrics.flat_rows import column_names, flat_rows

    names = column_names(answer)
    texts = {answer.question.grain.word, *answer.question.by}
    schema = pa.schema([(name, pa.string() if name in texts else pa.float64()) for name in names])
    rows = [dict(zip(names, row, strict=True)) for row in flat_rows(answer)]
    pq.write_table(pa.Table.from_pylist(rows, schema), output)
    return len(rows)
