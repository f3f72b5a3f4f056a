"""A report as PDF: charts by vl-convert, pages by typst, in a process of its own.

Belongs here: what the process is given, and its limits. typst's process grows with each document
(typst-py #104), and V8 takes a second to start, so neither runs in a server. The pages themselves
are in `typeset` and `page.typ`.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys

from social_assets.metrics.answer import Answer
from social_assets.serving.charts.figures import is_whole
from social_assets.serving.charts.number_text import MISSING, change_text, number_text
from social_assets.serving.charts.specification import specification
from social_assets.serving.charts.theme import LIGHT, themed
from social_assets.serving.charts.vega import Specification
from social_assets.serving.reports.content import Filled, ReportContent

SECONDS = 120
"""A report that takes longer is broken: 8 charts take 2 seconds."""

WIDTH = 640
"""Of a chart, in pixels; the page scales it to the width of its text."""


class PdfError(RuntimeError):
    """The PDF could not be made; the text says why."""


@dataclasses.dataclass(frozen=True)
class Headline:
    """One number at the top."""

    title: str
    value: str
    change: str
    is_good: bool | None
    """Whether the change is good; None if it is neither."""


def pdf_of(content: ReportContent) -> bytes:
    """The PDF. Raises PdfError."""
    document = {
        "title": content.report.title,
        "period": content.period.title,
        "zone": content.period.zone,
        "covered": content.covered,
        "made_at": f"{content.made_at:%Y-%m-%d %H:%M} UTC",
        "is_empty": content.is_empty,
        "headline": [dataclasses.asdict(each) for each in _headlines(content.headline)],
        "sections": [
            {
                "title": section.title,
                "figures": [
                    {"title": each.tile.title, "chart": _chart(each), "note": _note(each)}
                    for each in section.tiles
                ],
            }
            for section in content.sections
        ],
    }
    return _typeset(json.dumps(document, default=str).encode())


def _typeset(document: bytes) -> bytes:
    command = [sys.executable, "-m", "social_assets.serving.reports.typeset"]
    try:
        done = subprocess.run(
            command, input=document, capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise PdfError(f"typesetting took longer than {SECONDS} s and was stopped") from None
    if done.returncode or not done.stdout.startswith(b"%PDF"):
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise PdfError(f"typesetting failed: {lines[-1] if lines else 'no output'}")
    return done.stdout


def _headlines(answer: Answer) -> list[Headline]:
    if not answer.rows:
        return [Headline(each.title, MISSING, "", None) for each in answer.metrics]
    row = answer.rows[0]
    found = []
    for metric, value, change in zip(answer.metrics, row.values, row.changes(), strict=True):
        is_good = None
        if change and metric.rises_is_good is not None:
            is_good = (change > 0) is metric.rises_is_good
        text = number_text(value, metric.unit, is_whole=is_whole(metric), is_short=True)
        found.append(Headline(metric.title, text, change_text(change), is_good))
    return found


def _chart(filled: Filled) -> Specification | None:
    found = specification(filled.tile, filled.figures, WIDTH)
    return themed(found, LIGHT) if found else None


def _note(filled: Filled) -> str:
    formulas = [f"{each.title}: {each.formula.in_words()}" for each in filled.answer.metrics]
    return "; ".join(formulas)
