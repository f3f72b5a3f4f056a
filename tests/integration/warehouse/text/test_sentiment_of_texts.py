"""`text.sentiment` on a real warehouse: planted words, changed texts, new models, crashes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import date

import dagster as dg
import pytest

from resources.clickhouse.resource import ClickHouseResource
from social_assets.defs.partitions import daily
from social_assets.defs.text.sentiment import sentiment, text_checks
from social_assets.quality.texts import count_scored_texts
from social_assets.transform.text.models.lexicon import lexicon_model
from social_assets.transform.text.models.model import TextScores
from social_assets.transform.text.sentiment import ScoredTexts, score_days
from social_assets.warehouse.text_tables import SENTIMENT
from tests.integration.warehouse.conftest import Row, WarehouseUnderTest, at

DAY, NEXT = date(2026, 1, 1), date(2026, 1, 2)
Score = Callable[..., ScoredTexts]


class CountingModel:
    """The lexicon under another version, which tells what it was asked and may fail."""

    name = "lexicon"
    languages = ("en",)

    def __init__(self, version: str, fail_on: str = "") -> None:
        self.version = version
        self.asked: list[str | None] = []
        self._fail_on = fail_on

    def score(self, texts: Sequence[str | None]) -> TextScores:
        self.asked += texts
        if self._fail_on and self._fail_on in texts:
            raise RuntimeError("killed")
        return lexicon_model().score(texts)


def post(number: int | str, content: str, day: date = DAY, account: str = "a1") -> Row:
    return {
        "post_id": f"p{number}",
        "account_id": account,
        "platform": "X",
        "content": content,
        "media_type": "text",
        "published_at": at(f"{day} 10:00"),
        "event_time": at(f"{day} 10:00"),
    }


def comment(number: int, content: str, platform: str = "YouTube") -> Row:
    return {
        "platform": platform,
        "comment_id": f"c{number}",
        "post_id": "p1",
        "account_id": "a1",
        "published_at": at(f"{DAY} 11:00"),
        "event_time": at(f"{DAY} 11:00"),
        "content": content,
    }


@pytest.fixture
def score(warehouse: WarehouseUnderTest) -> Score:
    def scored(model: CountingModel | None = None, *days: date, run: str = "run-1") -> ScoredTexts:
        chosen = model or CountingModel("1")
        return score_days(warehouse.client, chosen, days or (DAY,), run)

    return scored


def labels(warehouse: WarehouseUnderTest) -> dict[str, str]:
    rows = warehouse.client.query(f"SELECT text_id, label FROM {SENTIMENT}").result_rows
    assert len(rows) == len(dict(rows))
    return dict(rows)


def test_planted_words_are_found_in_every_stream(
    warehouse: WarehouseUnderTest, score: Score
) -> None:
    warehouse.stream("posts", post(1, "I love it, great!"), post(2, "leaves at nine"))
    warehouse.stream("comments", comment(1, "awful, the worst"), comment(2, "best ever \U0001f600"))
    assert score() == ScoredTexts(scored=4, kept=0)
    assert labels(warehouse) == {
        "p1": "positive", "p2": "neutral", "c1": "negative", "c2": "positive",
    }  # fmt: skip


def test_blank_texts_have_no_row(warehouse: WarehouseUnderTest, score: Score) -> None:
    blank = ("", " ", "\t\n\x0b\x1f\x85\xa0\u3000")
    warehouse.stream("posts", *(post(n, text) for n, text in enumerate(blank)), post(9, "\u200b."))
    score()
    assert labels(warehouse) == {"p9": "neutral"}
    assert count_scored_texts(warehouse.client, [DAY]).is_right


def test_only_new_texts_are_scored(warehouse: WarehouseUnderTest, score: Score) -> None:
    warehouse.stream("posts", post(1, "good"), post(2, "bad"))
    score()
    warehouse.stream("posts", post(3, "great"))
    model = CountingModel("1")
    assert score(model) == ScoredTexts(scored=1, kept=2)
    assert model.asked == ["great"]
    assert labels(warehouse) == {"p1": "positive", "p2": "negative", "p3": "positive"}


def test_a_changed_text_is_scored_again_and_a_text_that_is_gone_loses_its_row(
    warehouse: WarehouseUnderTest, score: Score
) -> None:
    warehouse.stream("posts", post(1, "good"), post(2, "bad"), post(3, "fine"))
    score()
    warehouse.empty("cleaned")
    warehouse.stream("posts", post(1, "terrible"), post(2, "bad"))
    assert count_scored_texts(warehouse.client, [DAY]).stale == 2
    assert score() == ScoredTexts(scored=1, kept=1)
    assert labels(warehouse) == {"p1": "negative", "p2": "negative"}
    warehouse.empty("cleaned")
    assert score() == ScoredTexts(scored=0, kept=0)
    assert labels(warehouse) == {}


def test_another_version_scores_all_texts_again(
    warehouse: WarehouseUnderTest, score: Score
) -> None:
    warehouse.stream("posts", post(1, "good"), post(2, "bad"))
    score()
    assert score(CountingModel("2")) == ScoredTexts(scored=2, kept=0)
    versions = f"SELECT DISTINCT model_version FROM {SENTIMENT}"
    assert warehouse.client.query(versions).result_rows == [("2",)]


def test_the_same_id_on_two_platforms_is_two_texts(
    warehouse: WarehouseUnderTest, score: Score
) -> None:
    warehouse.stream("comments", comment(1, "good", "X"), comment(1, "bad", "Facebook"))
    score()
    found = f"SELECT toString(platform), label FROM {SENTIMENT} ORDER BY 1"
    assert warehouse.client.query(found).result_rows == [
        ("Facebook", "negative"),
        ("X", "positive"),
    ]


def test_a_run_that_is_killed_changes_nothing_and_is_repeated(
    warehouse: WarehouseUnderTest, score: Score
) -> None:
    warehouse.stream("posts", post(1, "good"))
    score()
    warehouse.stream("posts", post(2, "bad"), post(3, "fatal", NEXT))
    with pytest.raises(RuntimeError, match="killed"):
        score(CountingModel("1", fail_on="bad"))
    assert labels(warehouse) == {"p1": "positive"}
    score(None, DAY, NEXT)
    assert set(labels(warehouse)) == {"p1", "p2", "p3"}
    left = (
        "SELECT name FROM system.tables\n"
        "WHERE database = 'text' AND name LIKE 'sentiment%' AND engine = 'MergeTree'"
    )
    assert warehouse.client.query(left).result_rows == [("sentiment",)]


def test_two_runs_at_once_give_the_rows_of_one(warehouse: WarehouseUnderTest, score: Score) -> None:
    warehouse.stream("posts", *(post(n, "good") for n in range(500)))
    score()

    def once(run: str) -> None:
        with ClickHouseResource().client() as client:
            score_days(client, CountingModel("2"), [DAY], run)

    threads = [threading.Thread(target=once, args=(f"run-{n}",)) for n in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(labels(warehouse)) == 500
    assert count_scored_texts(warehouse.client, [DAY]).is_right


def test_the_check_finds_texts_without_row_doubled_and_wrong_rows(
    warehouse: WarehouseUnderTest, score: Score
) -> None:
    warehouse.stream("posts", post(1, "good"), post(2, "bad"))
    score()
    assert count_scored_texts(warehouse.client, None).is_right
    warehouse.stream("posts", post(3, "new"))
    assert count_scored_texts(warehouse.client, [DAY]).unscored == 1
    score()
    warehouse.client.command(f"INSERT INTO {SENTIMENT} SELECT * FROM {SENTIMENT} LIMIT 1")
    assert count_scored_texts(warehouse.client, [DAY]).doubled == 1
    warehouse.client.command(
        f"INSERT INTO {SENTIMENT} SELECT * REPLACE (toFloat32(2) AS score) FROM {SENTIMENT} LIMIT 1"
    )
    assert count_scored_texts(warehouse.client, [DAY]).wrong == 1


def test_the_asset_scores_its_days_and_its_check_passes(
    warehouse: WarehouseUnderTest, score: Score
) -> None:
    del score
    first = daily().start.date()
    warehouse.stream("posts", post(1, "good", first), post(2, "bad", first))
    result = dg.materialize(
        [sentiment(), *text_checks],
        partition_key=first.isoformat(),
        resources=warehouse.resources(),
    )
    (event,) = result.asset_materializations_for_node("text__sentiment")
    assert event.metadata["texts_scored"].value == 2
    assert event.metadata["share_positive"].value == 0.5
    assert [each.passed for each in result.get_asset_check_evaluations()] == [True]
    assert labels(warehouse) == {"p1": "positive", "p2": "negative"}


def test_without_any_text_or_table_nothing_is_counted(
    warehouse: WarehouseUnderTest, score: Score
) -> None:
    assert count_scored_texts(warehouse.client, None).is_right
    assert score() == ScoredTexts(scored=0, kept=0)
