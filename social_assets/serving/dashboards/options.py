"""What a filter of a page offers: the members of a dimension, those with the most records first.

Belongs here: finding them. Posts come with the start of their text, since nobody knows their ids.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from social_assets.metrics.answer import Answer
from social_assets.metrics.grain import Grain
from social_assets.metrics.planner.question import Question, check
from social_assets.metrics.registry import subject_of
from social_assets.serving.charts.number_text import group_text
from social_assets.serving.dashboards.asked import Asked
from social_assets.serving.dashboards.dashboard import Dashboard
from social_assets.warehouse.tables import is_of_missing_table

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

MOST_OPTIONS = 500
_LONGEST_TEXT = 60


@dataclass(frozen=True)
class Option:
    """One member: what the URL says, and what the page says."""

    value: str
    text: str


def options_of(
    dashboard: Dashboard, dimension: str, asked: Asked, ask: Callable[[Question], Answer]
) -> list[Option]:
    """The members of a dimension in the range, by the first metric that is known by it."""
    names = [name for tile in dashboard.tiles for name in tile.metrics]
    known = [name for name in names if subject_of(name).dimension(dimension)]
    if not known:
        return []
    counts = {"engagement": "events", "activity": "interactions"}
    subject = subject_of(known[0]).name
    metric = counts.get(subject) or subject_of(known[0]).metrics[0].name
    question = Question(
        (metric,), asked.start, asked.end, Grain.TOTAL, (dimension,), limit=MOST_OPTIONS
    )
    check(question)
    found = [row.group[0] for row in ask(question).rows]
    return [Option(value, group_text(dimension, value)) for value in found]


def with_post_texts(client: Client, options: list[Option]) -> list[Option]:
    """Posts with the start of their text."""
    if not options:
        return options
    try:
        result = client.query(
            "SELECT post_id, any(platform), any(content) FROM star.dim_post"
            " WHERE has({ids:Array(String)}, post_id) GROUP BY post_id",
            parameters={"ids": [each.value for each in options]},
        )
    except Exception as error:
        if is_of_missing_table(error):
            return options
        raise
    texts = {str(i): (str(platform), str(content)) for i, platform, content in result.result_rows}
    return [
        replace(each, text=_post_text(each.value, *texts.get(each.value, ("", ""))))
        for each in options
    ]


def _post_text(post: str, platform: str, content: str) -> str:
    start = content if len(content) <= _LONGEST_TEXT else f"{content[: _LONGEST_TEXT - 1]}…"
    return " · ".join(part for part in (post, platform, start) if part)
