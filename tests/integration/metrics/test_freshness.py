"""An answer says how new its rows are, and which of its days are incomplete."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from social_assets.contracts.options.watermark import WATERMARK_DELAY
from social_assets.metrics.answer import Answer
from social_assets.metrics.ask import ask
from social_assets.metrics.freshness import FreshnessOfSubjects
from social_assets.metrics.labels import Labels
from social_assets.metrics.planner.question import ComparedRange, Question
from social_assets.warehouse.pending_days import (
    ALL_DAYS,
    pending_days,
    record_finished,
    record_pending,
)
from tests.integration.metrics.reference import read_facts
from tests.integration.warehouse.conftest import WarehouseUnderTest

WEEK = (datetime(2026, 3, 9, tzinfo=UTC), datetime(2026, 3, 16, tzinfo=UTC))


def asked(
    warehouse: WarehouseUnderTest, *metrics: str, compare: ComparedRange | None = None
) -> Answer:
    question = Question(metrics, *WEEK, compare=compare)
    return ask(warehouse.client, question, freshness=FreshnessOfSubjects(0))


@pytest.fixture
def warehouse(filled: WarehouseUnderTest) -> Iterator[WarehouseUnderTest]:
    yield filled
    record_finished(filled.client, pending_days(filled.client), "test")


def test_the_newest_event_is_that_of_the_subjects_facts(warehouse: WarehouseUnderTest) -> None:
    facts = read_facts(warehouse.client)
    newest = {name: max(row["at"] for row in rows) for name, rows in facts.items()}  # type: ignore[type-var]
    for metric, subject in (("likes", "engagement"), ("watch_time", "video")):
        freshness = asked(warehouse, metric).freshness
        assert freshness.newest_event == newest[subject]
        assert freshness.watermark == newest[subject] - WATERMARK_DELAY  # type: ignore[operator]
        assert freshness.is_complete


def test_the_watermark_is_that_of_the_stream_that_is_furthest_behind(
    warehouse: WarehouseUnderTest,
) -> None:
    facts = read_facts(warehouse.client)
    rows = facts["people"]
    newest = [
        max(row["at"] for row in rows if row["stream"] == stream)  # type: ignore[type-var]
        for stream in ("video_interactions", "community_interactions")
    ]
    freshness = asked(warehouse, "people").freshness
    assert freshness.newest_event == max(newest)
    assert freshness.watermark == min(newest) - WATERMARK_DELAY  # type: ignore[operator]


def test_a_pending_day_of_the_question_is_named_and_others_are_not(
    warehouse: WarehouseUnderTest,
) -> None:
    days = [date(2026, 3, 8), date(2026, 3, 9), date(2026, 3, 15), date(2026, 3, 16)]
    record_pending(warehouse.client, "engagement_events", ("rollups",), days, "run")
    answer = asked(warehouse, "likes")
    assert answer.freshness.pending_days == (days[1], days[2])
    assert not answer.freshness.is_complete
    assert "incomplete: 2026-03-09, 2026-03-15 are being rebuilt" in answer.notes[-1]
    assert asked(warehouse, "watch_time").freshness.is_complete


def test_a_pending_day_of_the_compared_range_counts_too(warehouse: WarehouseUnderTest) -> None:
    record_pending(warehouse.client, "engagement_events", ("rollups",), [date(2026, 3, 2)], "run")
    assert asked(warehouse, "likes").freshness.is_complete
    compared = asked(warehouse, "likes", compare=ComparedRange.PREVIOUS).freshness
    assert compared.pending_days == (date(2026, 3, 2),)


def test_a_lost_table_makes_every_day_incomplete(warehouse: WarehouseUnderTest) -> None:
    record_pending(warehouse.client, "engagement_events", ("star",), [ALL_DAYS], "run")
    answer = asked(warehouse, "likes")
    assert answer.freshness.are_all_pending
    assert "incomplete: all days" in answer.notes[-1]


def test_ten_tiles_at_once_read_the_freshness_once(warehouse: WarehouseUnderTest) -> None:
    freshness, labels = FreshnessOfSubjects(60), Labels()
    question = Question(("likes",), *WEEK)
    first = ask(warehouse.client, question, labels, freshness).freshness
    record_pending(warehouse.client, "engagement_events", ("rollups",), [date(2026, 3, 9)], "run")
    for _ in range(9):
        assert ask(warehouse.client, question, labels, freshness).freshness == first
    later = Question(("likes",), WEEK[0], WEEK[1] + timedelta(days=1))
    assert not ask(warehouse.client, later, labels, FreshnessOfSubjects(0)).freshness.is_complete


def test_reach_names_the_platforms_own_figure_and_the_reason_of_the_gap(
    warehouse: WarehouseUnderTest,
) -> None:
    notes = asked(warehouse, "reach", "likes").notes
    assert any("reach and reported_reach differ: reach counts the users" in n for n in notes)
    assert any(n.startswith("reach: right to 1%") for n in notes)
    assert asked(warehouse, "likes").notes == ()
