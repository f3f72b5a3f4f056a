"""Metrics of sentiment on a real warehouse are what `text.sentiment` says of each text."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from clickhouse_connect.driver.client import Client

from social_assets.metrics.answer_invariants import InvariantsOfSubjects
from social_assets.metrics.ask import ask
from social_assets.metrics.grain import Grain
from social_assets.metrics.planner.question import Filter, Question
from social_assets.quality.texts import compare_scored_texts
from social_assets.serving.charts.tile import Chart, Tile
from social_assets.serving.dashboards.asked import Asked
from social_assets.serving.dashboards.tile_answer import answer_of, document
from social_assets.transform.text.models.lexicon import lexicon_model
from social_assets.transform.text.sentiment import score_days
from social_assets.warehouse.compared_days import results_of
from social_assets.warehouse.dbt.deployment import deploy_warehouse
from social_assets.warehouse.pending_days import pending_days
from social_assets.warehouse.text_tables import SENTIMENT, SUMS, create_table, create_texts
from tests.integration.warehouse.conftest import Row, WarehouseUnderTest, at

DAYS = (date(2026, 1, 1), date(2026, 1, 2))
START = datetime(2026, 1, 1, tzinfo=UTC)
END = START + timedelta(days=2)
GOOD, BAD, PLAIN = "I love it, great!", "awful, the worst", "leaves at nine"


def post(number: int, content: str, account: str = "a1", day: date = DAYS[0]) -> Row:
    return {
        "post_id": f"p{number}",
        "account_id": account,
        "platform": "X",
        "content": content,
        "media_type": "text",
        "published_at": at(f"{day} 10:20"),
        "event_time": at(f"{day} 10:20"),
    }


def comment(number: int, content: str, on: str, account: str = "a1", hour: int = 11) -> Row:
    return {
        "platform": "X",
        "comment_id": f"c{number}",
        "post_id": on,
        "account_id": account,
        "published_at": at(f"{DAYS[0]} {hour}:40"),
        "event_time": at(f"{DAYS[0]} {hour}:40"),
        "content": content,
    }


def score(warehouse: WarehouseUnderTest, *days: date) -> None:
    score_days(warehouse.client, lexicon_model(), days or DAYS, "run-1")


@pytest.fixture
def texts(warehouse: WarehouseUnderTest) -> WarehouseUnderTest:
    warehouse.stream(
        "posts",
        post(1, GOOD),
        post(2, BAD, "a2"),
        post(3, PLAIN, "a2", DAYS[1]),
        post(4, GOOD, "a2", DAYS[1]),
    )
    warehouse.stream(
        "comments",
        comment(1, BAD, "p1"),
        comment(2, BAD, "p1", hour=23),
        comment(3, GOOD, "p2", "a2"),
        comment(4, PLAIN, "a post of no stream", "an account of no stream"),
    )
    score(warehouse)
    return warehouse


def told(client: Client, *metrics: str, **asked: object) -> dict[tuple[object, ...], object]:
    """The values by bucket and group."""
    answer = ask(client, Question(metrics, START, END, **asked))  # type: ignore[arg-type]
    return {
        (*(() if row.bucket is None else (row.bucket,)), *row.group): row.values
        for row in answer.rows
    }


METRICS = ("sentiment", "negative_share", "texts")
SAME = "sum(score) / count(), countIf(label = 'negative') / count(), count()"


@pytest.mark.parametrize(
    ("asked", "columns"),
    [
        ({}, ()),
        ({"by": ("account",)}, ("account_id",)),
        ({"by": ("platform", "account", "label")}, ("platform", "account_id", "label")),
        ({"by": ("post",)}, ("post_id",)),
        ({"by": ("stream",)}, ("stream",)),
        ({"grain": Grain.DAY}, ("toDateTime(event_date, 'UTC')",)),
        ({"grain": Grain.HOUR, "by": ("account",)}, ("toStartOfHour(event_time)", "account_id")),
    ],
    ids=lambda each: "",
)
def test_values_are_those_of_the_texts(
    texts: WarehouseUnderTest, asked: dict[str, object], columns: tuple[str, ...]
) -> None:
    rows = texts.client.query(
        f"SELECT {', '.join((*columns, SAME))} FROM {SENTIMENT} GROUP BY ALL"
    ).result_rows
    width = len(columns)
    same = {
        tuple(v.replace(tzinfo=UTC) if isinstance(v, datetime) else v for v in row[:width]): row
        for row in rows
    }
    found = told(texts.client, *METRICS, **asked)
    assert found == {place: pytest.approx(tuple(row[width:])) for place, row in same.items()}
    assert len(found) == len(rows) > 0


def test_a_comment_counts_to_the_post_that_it_is_about(texts: WarehouseUnderTest) -> None:
    found = told(texts.client, "texts", by=("post",))
    assert found[("p1",)] == (3,)
    assert found[("a post of no stream",)] == (1,)
    only_bad = (Filter("label", ("negative",)), Filter("post", ("p1",)))
    assert told(texts.client, "texts", where=only_bad) == {(): (2,)}


def test_a_replaced_day_is_right_at_once_and_no_other_day_changes(
    texts: WarehouseUnderTest,
) -> None:
    before = told(texts.client, *METRICS, by=("account",), grain=Grain.DAY)
    texts.empty("cleaned")
    texts.stream("posts", post(1, BAD), post(5, BAD, "a3"))
    score(texts, DAYS[0])
    after = told(texts.client, *METRICS, by=("account",), grain=Grain.DAY)
    second = START + timedelta(days=1)
    assert {k: v for k, v in after.items() if k[0] == second} == {
        k: v for k, v in before.items() if k[0] == second
    }
    of_first = {k[1]: v for k, v in after.items() if k[0] == START}
    assert {account: values[1:] for account, values in of_first.items()} == {  # type: ignore[index]
        "a1": (1.0, 1),
        "a3": (1.0, 1),
    }


def test_an_answer_knows_whether_every_text_of_its_days_is_scored(
    texts: WarehouseUnderTest,
) -> None:
    def results() -> dict[str, list[date]]:
        (found,) = results_of(texts.client, [SENTIMENT])[0].values()
        parts = {"held": found.held, "broken": found.broken, "changed": found.changed}
        return {name: sorted(days) for name, days in parts.items()}

    assert compare_scored_texts(texts.client, DAYS).is_right
    assert results() == {"held": [*DAYS], "broken": [], "changed": []}
    texts.stream("posts", post(9, GOOD))
    assert results() == {"held": [DAYS[1]], "broken": [], "changed": [DAYS[0]]}
    assert not compare_scored_texts(texts.client, None).is_right
    assert results() == {"held": [DAYS[1]], "broken": [DAYS[0]], "changed": []}
    score(texts, DAYS[0])
    assert compare_scored_texts(texts.client, DAYS[:1]).is_right
    assert results()["held"] == [*DAYS]


def test_days_that_are_not_scored_yet_are_not_checked(warehouse: WarehouseUnderTest) -> None:
    warehouse.stream("posts", post(1, GOOD))
    question = Question(("sentiment",), START, END)
    said = ask(warehouse.client, question, invariants=InvariantsOfSubjects(0)).invariants
    assert said.unchecked_days == DAYS[:1]


def test_every_view_reads_its_projection(texts: WarehouseUnderTest) -> None:
    for view in SUMS:
        plan = texts.client.query(f"EXPLAIN SELECT * FROM {view.table}").result_rows
        assert any(f"ReadFromMergeTree ({view.name})" in line for (line,) in plan), plan


def test_a_warehouse_without_texts_has_no_value_and_a_tile_says_what_gives_one(
    warehouse: WarehouseUnderTest,
) -> None:
    assert told(warehouse.client, *METRICS) in ({}, {(): (None, None, 0)})
    tile = Tile("t", "Sentiment", ("sentiment",), Chart.LINE)
    asked = Asked(start=START, end=END, grain=Grain.DAY, zone="UTC")
    shown = document(answer_of(tile, asked, lambda question: ask(warehouse.client, question)))
    assert shown["is_empty"]
    assert "the asset `text/sentiment` scores them" in shown["empty"]


def test_a_table_that_was_dropped_is_made_again_and_a_backfill_is_advised(
    texts: WarehouseUnderTest,
) -> None:
    deploy_warehouse(texts.endpoint, texts.home)
    pending = pending_days(texts.client)
    texts.client.command(f"DROP TABLE {SENTIMENT} SYNC")
    done = deploy_warehouse(texts.endpoint, texts.home)
    assert done.remade == (SENTIMENT,)
    assert str(done).endswith(f"A backfill of `text/sentiment` fills {SENTIMENT}")
    assert pending_days(texts.client) == pending
    assert told(texts.client, "texts", by=("account",)) == {}
    score(texts)
    assert told(texts.client, "texts") == {(): (8,)}


def test_a_table_of_an_earlier_version_is_summed_and_gets_its_posts_when_it_is_scored_again(
    texts: WarehouseUnderTest,
) -> None:
    client = texts.client
    before = told(client, *METRICS, by=("account",))
    client.command(f"RENAME TABLE {SENTIMENT} TO {SENTIMENT}_kept")
    try:
        lines = create_table().splitlines()
        first = next(n for n, line in enumerate(lines) if "PROJECTION" in line)
        last = next(n for n, line in enumerate(lines) if line.startswith(")"))
        kept = [line for line in lines[:first] if "post_id" not in line]
        client.command("\n".join([*kept[:-1], kept[-1].rstrip(","), *lines[last:]]))
        client.command(f"INSERT INTO {SENTIMENT} SELECT * EXCEPT (post_id) FROM {SENTIMENT}_kept")
        for statement in create_texts():
            client.command(statement)
        assert told(client, *METRICS, by=("account",)) == before
        assert told(client, "texts", by=("post",)) == {("",): (8,)}
        score(texts, DAYS[0])
        assert told(client, "texts", by=("post",))[("p1",)] == (3,)
        score(texts)
        assert told(client, *METRICS, by=("account",)) == before
    finally:
        client.command(f"DROP TABLE IF EXISTS {SENTIMENT} SYNC")
        client.command(f"RENAME TABLE {SENTIMENT}_kept TO {SENTIMENT}")
