"""What metrics of collected accounts read: rows of accounts, counters and posts, and their keys."""

from __future__ import annotations

from datetime import timedelta

from tests.integration.warehouse.conftest import Row, WarehouseUnderTest, at

FIRST = at("2026-01-02 10:00")


def post(name: str, published: str, collected: str = "2026-01-02 10:00", **other: str) -> Row:
    return {
        "post_version": f"{name}{collected}{other}",
        "platform": "X",
        "account_id": "1",
        "post_id": name,
        "event_time": at(published),
        "published_at": at(published),
        "collected_at": at(collected),
        **other,
    }


def counters(name: str, hours: int, likes: int) -> Row:
    time = FIRST + timedelta(hours=hours)
    return {
        "platform": "X",
        "account_id": "1",
        "post_id": name,
        "endpoint": "posts",
        "event_time": time,
        "collected_at": time,
        "likes": likes,
    }


def profile(day: str, followers: int | None, **other: object) -> Row:
    time = at(f"2026-01-{day} 10:00")
    known = {"platform": "X", "account_id": "1", "event_time": time, "collected_at": time}
    return {**known, "followers": followers, **other}


def test_what_an_older_post_had_when_it_was_found_is_not_new(warehouse: WarehouseUnderTest) -> None:
    warehouse.stream(
        "posts_collected", post("old", "2025-12-24 10:00"), post("new", "2026-01-01 11:00")
    )
    warehouse.stream(
        "post_counters",
        counters("old", 0, 500),
        counters("old", 1, 503),
        counters("new", 0, 40),
        counters("unknown", 0, 7),
        counters("new", 2, 38),
    )
    rows = warehouse.client.query(
        "SELECT post_id, added, found, taken_back FROM star.collected_changes\n"
        "WHERE kind = 'counter' ORDER BY post_id, event_time"
    ).result_rows
    assert rows == [
        ("new", 40, 0, 0),
        ("new", 0, 0, 2),
        ("old", 0, 500, 0),
        ("old", 3, 0, 0),
        ("unknown", 0, 7, 0),
    ]


def test_a_day_without_a_collection_has_the_followers_of_the_last_one_for_six_days(
    warehouse: WarehouseUnderTest,
) -> None:
    warehouse.stream(
        "profiles", profile("01", 10), profile("03", None), profile("04", 14), profile("20", 9)
    )
    rows = warehouse.client.query(
        "SELECT toDayOfMonth(event_date), followers, followers_gained FROM star.collected_changes\n"
        "WHERE event_date < '2026-01-22' ORDER BY event_date"
    ).result_rows
    assert rows == [
        (1, 10, 0), (2, 10, 0), (3, 10, 0),
        (4, 14, 4), *((day, 14, 0) for day in range(5, 11)),
        (20, 9, -5), (21, 9, 0),
    ]  # fmt: skip
    of_range = warehouse.client.query(
        "SELECT event_date, followers FROM star.collected_changes\n"
        "WHERE event_date >= '2026-01-02' AND event_date <= '2026-01-02'\n"
        "  AND event_time >= toDateTime64('2026-01-02 00:00:00', 6, 'UTC')"
    ).result_rows
    assert of_range == [(at("2026-01-02 00:00").date(), 10)]


def test_an_edited_post_is_one_post_with_its_newest_text(warehouse: WarehouseUnderTest) -> None:
    warehouse.stream(
        "posts_collected",
        post("p", "2026-01-02 09:00", content="first"),
        post("p", "2026-01-02 09:00", "2026-01-03 10:00", content="second"),
    )
    changes = "SELECT event_date, post_id FROM star.collected_changes WHERE kind = 'post'"
    assert warehouse.client.query(changes).result_rows == [(at("2026-01-02 00:00").date(), "p")]
    assert warehouse.value("SELECT content FROM star.collected_posts") == "second"


def test_an_account_has_the_newest_attributes_of_its_profiles(
    warehouse: WarehouseUnderTest,
) -> None:
    warehouse.stream(
        "profiles",
        profile("02", 1, handle="new", is_verified=True, category="Science"),
        profile("01", 1, handle="old", display_name="The name", is_verified=False),
    )
    row = warehouse.client.query(
        "SELECT account_id, platform, handle, display_name, category, country, is_verified\n"
        "FROM star.dim_account"
    ).result_rows
    assert row == [("1", "X", "new", "The name", "Science", "Unknown", True)]
    keys = "SELECT count() FROM star.collected_changes JOIN star.dim_account USING account_key"
    assert warehouse.value(keys) > 0
