"""A report as CSV: one row a tile, bucket, group and metric.

Belongs here: the layout of the file. RFC 4180 with a header.
"""

from __future__ import annotations

import csv
import io

from social_assets.metrics.answer import Answer
from social_assets.serving.reports.content import ReportContent

COLUMNS = ("page", "tile", "from", "group", "metric", "unit", "value", "value_before")


def csv_of(content: ReportContent) -> str:
    """All numbers of a report. An empty value does not exist, such as a ratio by zero."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    writer.writerows(_rows("Headline", "Headline", content.headline))
    for section in content.sections:
        for filled in section.tiles:
            writer.writerows(_rows(section.title, filled.tile.title, filled.answer))
    return buffer.getvalue()


def _rows(page: str, tile: str, answer: Answer) -> list[tuple[object, ...]]:
    zone = answer.question.time_zone
    return [
        (
            page,
            tile,
            row.bucket.astimezone(zone).isoformat() if row.bucket else "",
            _safe(", ".join(row.group)),
            metric.name,
            metric.unit,
            row.values[number],
            row.compared[number] if row.compared else None,
        )
        for row in answer.rows
        for number, metric in enumerate(answer.metrics)
    ]


def _safe(text: str) -> str:
    """A spreadsheet takes a text that begins like this for a formula (CWE-1236)."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
