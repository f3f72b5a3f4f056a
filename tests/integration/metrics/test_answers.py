"""Answers of a warehouse: what is declared can be asked, and limits hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from social_assets.metrics.ask import TablesMissingError, ask
from social_assets.metrics.dimension import ACCOUNT, POST
from social_assets.metrics.formula import AsReported
from social_assets.metrics.grain import Grain
from social_assets.metrics.labels import Labels
from social_assets.metrics.metric import Metric, Subject
from social_assets.metrics.planner.buckets import compared_range
from social_assets.metrics.planner.plan import Kept, plan
from social_assets.metrics.planner.question import ComparedRange, Filter, Question, subjects_of
from social_assets.metrics.planner.sql import MOST_BYTES, query_of
from social_assets.metrics.registry import metric, metrics, subject_of, subjects
from tests.integration.metrics import records
from tests.integration.metrics.questions import ZONES
from tests.integration.warehouse.conftest import WarehouseUnderTest

START, END = records.FIRST, records.FIRST + timedelta(days=records.DAYS)


def value(warehouse: WarehouseUnderTest, question: Question) -> float | int | None:
    (row,) = ask(warehouse.client, question).rows
    return row.values[0]


@pytest.mark.parametrize("declared", metrics(), ids=lambda each: each.name)
def test_every_metric_has_values_at_every_grain_that_it_claims(
    filled: WarehouseUnderTest, declared: Metric
) -> None:
    by = declared.formula.by if isinstance(declared.formula, AsReported) else ()
    for grain in declared.grains:
        end = START + timedelta(days=10) if grain is Grain.HOUR else END
        rows = ask(filled.client, Question((declared.name,), START, end, grain, by)).rows
        assert any(row.values[0] is not None for row in rows), grain


@pytest.mark.parametrize("subject", subjects(), ids=lambda each: each.name)
def test_every_dimension_divides_and_filters(filled: WarehouseUnderTest, subject: Subject) -> None:
    name = next(m.name for m in subject.metrics if not isinstance(m.formula, AsReported))
    for dimension in subject.dimensions:
        divided = ask(filled.client, Question((name,), START, END, by=(dimension.name,)))
        assert len(divided.rows) > 1, dimension.name
        row = divided.rows[0]
        where = (Filter(dimension.name, row.group),)
        filtered = ask(filled.client, Question((name,), START, END, where=where))
        assert [each.values for each in filtered.rows] == [pytest.approx(row.values)]


def test_a_count_is_summed_over_whole_days_and_the_hours_at_their_edges(
    filled: WarehouseUnderTest,
) -> None:
    start, end = START + timedelta(hours=5, minutes=30), END - timedelta(hours=3)
    published = [row["published_at"] for row in records.collected_posts()]
    counted = value(filled, Question(("posts_published",), start, end))
    assert counted == sum(start <= at < end for at in published) > 0


def test_the_platforms_own_reach_is_answered_for_a_post_and_a_day(
    filled: WarehouseUnderTest,
) -> None:
    by_day = ask(filled.client, Question(("reported_reach",), START, END, Grain.DAY, ("post",)))
    reported = [row for row in records.engagement(6_000) if row["metric_type"] == "reach"]
    day = START.date() + timedelta(days=7)
    of_day = [
        r["value"] for r in reported if r["event_time"].date() == day and r["post_id"] == "01"
    ]
    found = {(row.bucket, row.group): row.values[0] for row in by_day.rows}
    assert of_day
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
    assert found[begin, ("01",)] == pytest.approx(sum(of_day))


def test_the_coarsest_table_with_the_dimensions_answers(filled: WarehouseUnderTest) -> None:
    def tables(**asked: object) -> tuple[str, ...]:
        end = asked.pop("end", END)
        return ask(filled.client, Question(("likes",), START, end, **asked)).tables  # type: ignore[arg-type]

    assert tables() == ("rollups.engagement_platform_daily",)
    assert tables(by=("account",)) == ("rollups.engagement_account_daily",)
    assert tables(where=(Filter("post", ("01",)),)) == ("rollups.engagement_daily",)
    assert tables(zone="Europe/Berlin", grain=Grain.DAY) == ("rollups.engagement_platform_hourly",)
    assert tables(by=("hour_of_day",)) == ("rollups.engagement_platform_hourly",)
    assert tables(by=("hour_of_day",), zone="Asia/Kolkata") == ("star.fact_engagement",)
    assert tables(end=START + timedelta(days=1, hours=1, seconds=1)) == (
        "rollups.engagement_platform_daily",
        "rollups.engagement_platform_hourly",
        "star.fact_engagement",
    )


@pytest.mark.parametrize("metric", ["unique_users", "reach", "engagement_rate", "engagement"])
def test_users_of_platforms_come_from_one_sketch_a_day_for_all_kinds(
    filled: WarehouseUnderTest, metric: str
) -> None:
    """The column of a restricted measure answers without the dimension of its restriction."""
    asked = Question((metric,), START, END + timedelta(hours=1), by=("platform",))
    answer = ask(filled.client, asked)
    of_kinds = ask(filled.client, replace(asked, metrics=(metric, "likes")))
    assert answer.tables[0] == "rollups.engagement_users_daily"
    assert of_kinds.tables[0] == "rollups.engagement_platform_daily"
    values, others = (
        {row.group: row.values[0] for row in each.rows} for each in (answer, of_kinds)
    )
    assert values == pytest.approx(others, rel=1e-12)


def test_a_column_of_a_restriction_does_not_answer_another_one(filled: WarehouseUnderTest) -> None:
    asked = Question(("reach",), START, END, by=("platform",))
    of_views = replace(asked, where=(Filter("metric_type", ("view",)),))
    assert ask(filled.client, of_views).tables == ("rollups.engagement_platform_daily",)
    assert ask(filled.client, replace(asked, by=("metric_type",))).tables == (
        "rollups.engagement_platform_daily",
    )


def test_hours_of_the_day_are_answered_over_years(filled: WarehouseUnderTest) -> None:
    long = Question(("events",), END - timedelta(days=3 * 365), END, by=("hour_of_day",))
    assert len(ask(filled.client, long).rows) == 24


def test_a_group_named_like_the_rest_is_a_group_of_its_own(filled: WarehouseUnderTest) -> None:
    question = Question(("events",), START, END, by=("post",), limit=20, with_others=True)
    rows = ask(filled.client, question).rows
    assert sorted(row.group[0] for row in rows) == sorted(records.POSTS)


def test_ten_thousand_chosen_groups_fit_a_query(filled: WarehouseUnderTest) -> None:
    question = Question(("events",), START, END, Grain.DAY, ("account", "post", "metric_type"))
    key = ACCOUNT.literal_of
    hexes = [str(key(str(number))).split("'")[1] for number in range(10_000)]
    kept = Kept(tuple((each, hexes[0], "like") for each in hexes), 0)
    planned = plan(question, subject_of("events"), kept)
    query = query_of(planned)
    settings = {"max_query_size": MOST_BYTES, "max_memory_usage": 200_000_000}
    filled.client.query(query.text, parameters=dict(query.parameters), settings=settings)
    assert len(Labels().of(filled.client, POST, set(hexes))) == 10_000


def test_questions_in_many_zones_take_no_memory_of_the_server(filled: WarehouseUnderTest) -> None:
    """ClickHouse keeps 4 MB for each zone that it is asked for, for as long as it runs."""
    for zone in ZONES:
        question = Question(("events",), START, END, Grain.HOUR, zone=zone)
        assert zone not in query_of(plan(question, subject_of("events"))).text or zone == "UTC"


def test_texts_of_people_never_become_sql(filled: WarehouseUnderTest) -> None:
    for name in ("platform", "metric_type", "post"):
        for text in ("' OR 1=1 --", "{x:String}", "\\", "x' UNION ALL SELECT 1", "%(a)s", "\0"):
            question = Question(("events",), START, END, where=(Filter(name, (text,)),))
            assert ask(filled.client, question).rows == ()


def test_a_table_that_is_missing_is_named_with_the_remedy(filled: WarehouseUnderTest) -> None:
    question = Question(("live_users",), START, END)
    table = "rollups.live_streaming_device_daily"
    filled.client.command(f"RENAME TABLE {table} TO {table}_away")
    try:
        with pytest.raises(TablesMissingError, match=f"{table}; `social-assets deploy` makes it"):
            ask(filled.client, question)
    finally:
        filled.client.command(f"RENAME TABLE {table}_away TO {table}")
    assert value(filled, question)


def test_a_share_over_all_groups_stays_when_a_limit_cuts_the_answer(
    filled: WarehouseUnderTest,
) -> None:
    whole = Question(("share_of_voice",), START, END, by=("post",))
    cut = Question(("share_of_voice",), START, END, Grain.MONTH, by=("post",), limit=2)
    everything = {row.group: row.values[0] for row in ask(filled.client, whole).rows}
    assert sum(v for v in everything.values() if v) == pytest.approx(1)
    by_month = ask(filled.client, cut).rows
    assert {row.group for row in by_month} == set(list(everything)[:2])
    assert sum(row.values[0] or 0 for row in by_month) < 1


def test_the_compared_range_is_answered_for_the_same_groups_and_their_rest(
    filled: WarehouseUnderTest,
) -> None:
    middle = START + timedelta(days=20)
    asked = Question(("events",), middle, END, by=("account", "post"), limit=3, with_others=True)
    compared = ask(filled.client, replace(asked, compare=ComparedRange.PREVIOUS)).rows
    earlier = compared_range(replace(asked, compare=ComparedRange.PREVIOUS))
    before = ask(filled.client, Question(("events",), *earlier, by=("account", "post"))).rows
    every = {row.group: row.values[0] for row in before}
    assert [row.group for row in compared] == [row.group for row in ask(filled.client, asked).rows]
    assert [row.compared[0] for row in compared[:3]] == [every[row.group] for row in compared[:3]]
    assert sum(row.compared[0] or 0 for row in compared) == sum(v or 0 for v in every.values())


def test_a_bucket_that_only_the_compared_range_has_is_shown(filled: WarehouseUnderTest) -> None:
    """As on a Wednesday, when this week is compared with the last."""
    last = (END - timedelta(days=4)).replace(hour=0)
    asked = Question(("events",), last, last + timedelta(days=7), Grain.DAY)
    rows = ask(filled.client, replace(asked, compare=ComparedRange.PREVIOUS)).rows
    assert len(rows) == 7
    assert rows[-1].values == (0,)
    assert rows[-1].compared[0]


def test_subjects_stand_side_by_side_in_the_order_asked(filled: WarehouseUnderTest) -> None:
    question = Question(("watch_time", "likes", "live_users"), START, END, by=("platform",))
    rows = {row.group[0]: row.values for row in ask(filled.client, question).rows}
    alone = Question(("likes",), START, END, by=("platform",))
    likes = {row.group[0]: row.values[0] for row in ask(filled.client, alone).rows}
    assert {name: values[1] for name, values in rows.items()} == pytest.approx(likes)
    assert rows["X"][0] == 0
    assert metric("watch_time").unit == "minutes"
    assert [each.name for each in subjects_of(question)] == ["video", "engagement", "live"]
