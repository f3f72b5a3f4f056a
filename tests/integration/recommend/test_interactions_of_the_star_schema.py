"""The query of interactions on the star schema that dbt builds, from cleaned events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client

from recsys.scoring.histories import Histories
from resources.clickhouse.resource import connect
from resources.embedded_clickhouse.lifecycle import ensure_running, stop
from resources.settings.home import Home
from social_assets.contracts.video_interactions import LENGTH, WATCHED
from social_assets.recommend.errors import RecommendError
from social_assets.recommend.interactions import (
    query_interactions,
    read_interactions_since,
    read_texts,
    split_interactions,
)

LAST_DAY = date(2026, 11, 20)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
HALF_LIFE_AGO = LAST_DAY - timedelta(days=14)

# (day, user, post, metric, value); the weights of the metrics: view 0.5, rating 0.25, like 2.
EVENTS = [
    (LAST_DAY, "ann", "p1", "view", 1.0),
    (LAST_DAY, "ann", "p1", "like", 1.0),
    (LAST_DAY, "ann", "p2", "rating", 8.0),
    (LAST_DAY, "ann", "p3", "view", 5000.0),
    (HALF_LIFE_AGO, "ann", "p1", "like", 1.0),
    (HALF_LIFE_AGO, "bob", "p1", "share", 1.0),
    (LAST_DAY, "bob", "p2", "impression", 1.0),
    (LAST_DAY, "bob", "p2", "reach", 1.0),
    (LAST_DAY, "bob", "Unknown", "like", 1.0),
    (LAST_DAY, "Unknown", "p1", "view", 900.0),
    (LAST_DAY - timedelta(days=100), "bob", "p9", "share", 1.0),
]


# (video, day, minutes watched, minutes that it has)
WATCHED_BY_SEVEN = [
    (1, LAST_DAY, 3.0, 12.0),
    (2, LAST_DAY, 50.0, 10.0),
    (3, LAST_DAY, 5.0, 0.0),
    (4, LAST_DAY, 0.0, 9.0),
    (1, HALF_LIFE_AGO, 12.0, 12.0),
    (1, LAST_DAY - timedelta(days=100), 12.0, 12.0),
]


@pytest.fixture(scope="module")
def client(deployed_home: Callable[[str], Home]) -> Iterator[Client]:
    home = deployed_home("matrix")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOCIAL_ASSETS_HOME", str(home.path))
        endpoint = ensure_running(home)
        try:
            client = connect(endpoint)
            clean(client)
            yield client
            client.close()
        finally:
            stop(home)


def clean(client: Client) -> None:
    """Insert the events into `cleaned.engagement_events`, like the loader."""
    names = (
        *("event_id", "event_time", "event_date", "platform", "account_id"),
        *("post_id", "user_id", "metric_type", "value"),
    )
    rows = [
        [f"e{n}", noon(day) - n * MINUTE, day, "Reddit", "1", post, user, metric, value]
        for n, (day, user, post, metric, value) in enumerate(EVENTS)
    ]
    client.insert("cleaned.engagement_events", rows, column_names=names)
    names = ("post_id", "account_id", "content", "tags", "event_date", "event_time")
    posts = [
        [post, "1", "says something", ["news"], day, noon(day)]
        for post, day in [("fresh", LAST_DAY), ("p1", LAST_DAY), ("stale", LAST_DAY - 100 * DAY)]
    ]
    client.insert("cleaned.posts", posts, column_names=names)
    names = ("user_id", "video_id", "event_date", "event_time", WATCHED, LENGTH)
    views = [
        ["7", str(video), day, noon(day), minutes, length]
        for video, day, minutes, length in WATCHED_BY_SEVEN
    ]
    client.insert("cleaned.video_interactions", views, column_names=names)


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def rows(client: Client) -> pa.Table:
    return query_interactions(client, window_days=90)


NO_TEXTS = pa.table({"item_id": pa.array([], pa.string()), "text": pa.array([], pa.string())})


def weights(rows: pa.Table, user: str) -> dict[tuple[str, date], float]:
    return {
        (row["item_id"], row["event_time"].date()): row["weight"]
        for row in rows.to_pylist()
        if row["user_id"] == user
    }


def test_a_reaction_weighs_by_its_kind_its_value_and_its_age(rows: pa.Table) -> None:
    assert weights(rows, "ann") == {
        ("p1", LAST_DAY): 0.5 + 2.0,
        ("p1", HALF_LIFE_AGO): 2.0 / 2,
        ("p2", LAST_DAY): 8 * 0.25,
        ("p3", LAST_DAY): 10 * 0.5,
    }


def test_a_matrix_knows_to_the_minute_when_a_user_first_had_a_post(rows: pa.Table) -> None:
    first = {
        (row["item_id"], row["event_time"].astimezone(UTC))
        for row in rows.to_pylist()
        if (row["user_id"], row["event_time"].date()) == ("ann", LAST_DAY)
    }
    assert first == {(f"p{n}", noon(LAST_DAY) - n * MINUTE) for n in (1, 2, 3)}
    matrix = split_interactions(rows, NO_TEXTS, "v1").whole
    ann = matrix.csr.indptr[:2]
    assert matrix.users[0].as_py() == "ann"
    oldest = Histories.of(matrix.csr, matrix.times).order()[slice(*ann)]
    names = [matrix.items[int(matrix.csr.indices[entry])].as_py() for entry in oldest]
    assert names == ["p1", "p3", "p2"]


def test_audiences_what_was_merely_shown_and_what_is_too_old_do_not_count(rows: pa.Table) -> None:
    assert weights(rows, "bob") == {("p1", HALF_LIFE_AGO): 4.0 / 2}
    assert set(rows["user_id"].to_pylist()) == {"ann", "bob"}


def test_a_video_weighs_by_the_share_that_was_watched_and_its_age_where_it_is_asked_for(
    client: Client, rows: pa.Table
) -> None:
    both = query_interactions(client, window_days=90, videos=True)
    assert weights(both, "7") == {
        ("video:1", LAST_DAY): 2.0 / 4,
        ("video:2", LAST_DAY): 2.0,
        ("video:3", LAST_DAY): 2.0,
        ("video:4", LAST_DAY): 0.0,
        ("video:1", HALF_LIFE_AGO): 2.0 / 2,
    }
    assert weights(both, "ann") == weights(rows, "ann")
    interactions = split_interactions(both, NO_TEXTS, "v1", videos=True)
    assert interactions.window.videos
    assert interactions.whole.items.to_pylist() == [
        *("p1", "p2", "p3", "video:1", "video:2", "video:3", "video:4")
    ]


def test_what_was_read_before_has_the_same_weights_however_much_came_since(
    client: Client, rows: pa.Table
) -> None:
    window = split_interactions(rows, NO_TEXTS, "v1").window
    again = read_interactions_since(client, window.start, window.end)
    assert weights(again, "ann") == weights(rows, "ann")
    week_before = window.end - timedelta(days=7)
    heavier = weights(read_interactions_since(client, window.start, week_before), "ann")
    assert heavier[("p2", LAST_DAY)] == pytest.approx(2 * 2**0.5)


def test_posts_of_the_window_are_read_with_their_text_whether_anyone_reacted_or_not(
    client: Client,
) -> None:
    texts = read_texts(client, window_days=90)
    assert texts.to_pylist() == [
        {"item_id": post, "text": "says something news"} for post in ("fresh", "p1")
    ]


def test_a_longer_window_reads_older_reactions(client: Client) -> None:
    older = query_interactions(client, window_days=180)
    assert "p9" in older["item_id"].to_pylist()


def test_the_cut_leaves_the_last_days_to_evaluate_by(rows: pa.Table) -> None:
    interactions = split_interactions(rows, NO_TEXTS, "v1")
    window = interactions.window
    assert window.start == midnight(HALF_LIFE_AGO)
    assert window.cut == midnight(LAST_DAY)
    assert window.end == midnight(LAST_DAY + timedelta(days=1))
    assert window.newest_event == noon(LAST_DAY)
    assert window.events == 6
    assert interactions.train.items.to_pylist() == ["p1"]
    assert interactions.whole.items.to_pylist() == ["p1", "p2", "p3"]


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def test_events_without_a_dimension_are_left_out_and_counted(rows: pa.Table) -> None:
    nameless: Any = rows.slice(0, 1)
    column = rows.schema.get_field_index("user_id")
    nameless = nameless.set_column(column, rows.schema.field(column), pa.array([None], pa.string()))
    window = split_interactions(pa.concat_tables([rows, nameless]), NO_TEXTS, "v1").window
    assert window.events == 6
    assert window.unresolved_events == nameless["events"][0].as_py()


def test_one_day_cannot_be_both_learned_from_and_evaluated_by(client: Client) -> None:
    with pytest.raises(RecommendError, match="another day"):
        split_interactions(query_interactions(client, window_days=1), NO_TEXTS, "v1")
