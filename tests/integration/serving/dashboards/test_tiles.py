"""The numbers of every tile are those that the facts give."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from social_assets.metrics.answer import Answer
from social_assets.metrics.ask import ask
from social_assets.metrics.grain import Grain
from social_assets.metrics.planner.question import Filter, Question
from social_assets.serving.charts.figures import ColumnRole, figures_of
from social_assets.serving.charts.tile import Chart, Tile
from social_assets.serving.dashboards.asked import Asked, question_of
from social_assets.serving.dashboards.dashboard import Dashboard
from social_assets.serving.dashboards.registry import dashboards
from social_assets.serving.dashboards.tile_answer import answer_of, document, to_csv
from tests.integration.metrics import conftest as records_of_all_streams
from tests.integration.metrics.reference import FactRow, read_facts
from tests.integration.metrics.test_random_questions import examine
from tests.integration.warehouse.conftest import WarehouseUnderTest

TILES = [
    pytest.param(dashboard, tile, id=f"{dashboard.name}-{tile.name}")
    for dashboard in dashboards()
    for tile in dashboard.tiles
    if isinstance(tile, Tile)
]
filled = records_of_all_streams.filled
START = datetime(2026, 3, 16, tzinfo=UTC)


def asked(**other: object) -> Asked:
    values = {"start": START, "end": START + timedelta(days=14), "grain": Grain.DAY, "zone": "UTC"}
    return Asked(**{**values, **other})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def facts(filled: WarehouseUnderTest) -> dict[str, list[FactRow]]:
    return read_facts(filled.client)


@pytest.mark.parametrize(("dashboard", "tile"), TILES)
def test_the_numbers_of_a_tile_are_those_of_the_facts(
    filled: WarehouseUnderTest,
    facts: dict[str, list[FactRow]],
    dashboard: Dashboard,
    tile: Tile,
) -> None:
    answer = ask(filled.client, question_of(tile, asked()))
    examine(facts, answer)
    figures = figures_of(tile, answer)
    first = figures.positions(ColumnRole.VALUE)
    groups, time = figures.positions(ColumnRole.GROUP), figures.position(ColumnRole.TIME)
    shown = {
        (
            tuple(row[at] for at in groups),
            None if time is None else row[time],
        ): tuple(row[at] for at in first)
        for row in figures.rows
    }
    for row in answer.rows:
        bucket = None if row.bucket is None else row.bucket.replace(tzinfo=None)
        values = shown[row.group, bucket]
        assert values == row.values or row.values == (None,) * len(row.values)


def test_a_filter_of_the_page_narrows_a_tile_and_its_drill(
    filled: WarehouseUnderTest, facts: dict[str, list[FactRow]]
) -> None:
    tile = Tile("t", "T", ("likes",), Chart.BARS, by=("platform",), drill="post")
    narrowed = asked(filters=(Filter("platform", ("TikTok",)),))
    answer = answer_of(tile, narrowed, lambda question: _examined(filled, facts, question))
    assert [row[0] for row in answer.figures.rows] == ["TikTok"]


@pytest.mark.parametrize(
    ("metric", "told"),
    [
        ("likes", "Choose a longer range; if the platform is new, load files with"),
        ("followers", "Choose a longer range; if the platform is new, track accounts with"),
        ("unusual_sessions", "No unusual session in this range."),
        ("quality_score", "No value in this range: it needs followers of two days, and"),
    ],
)
def test_a_tile_without_a_value_says_what_to_do(
    filled: WarehouseUnderTest, metric: str, told: str
) -> None:
    tile = Tile("t", "T", (metric,), Chart.BARS, by=("platform",))
    never = asked(start=datetime(2015, 1, 1, tzinfo=UTC), end=datetime(2015, 1, 2, tzinfo=UTC))
    shown = document(answer_of(tile, never, lambda question: ask(filled.client, question)))
    assert shown["is_empty"]
    assert told in shown["empty"]


def test_csv_has_the_numbers_with_all_digits(filled: WarehouseUnderTest) -> None:
    tile = Tile("t", "T", ("average_value",), Chart.BARS, by=("platform",))
    answer = answer_of(tile, asked(), lambda question: ask(filled.client, question))
    lines = to_csv(answer).splitlines()
    assert lines[0] == "platform,average_value"
    assert [float(line.split(",")[1]) for line in lines[1:]] == [r[1] for r in answer.figures.rows]


def _examined(
    filled: WarehouseUnderTest, facts: dict[str, list[FactRow]], question: Question
) -> Answer:
    answer = ask(filled.client, question)
    examine(facts, answer)
    return answer
