"""What the warehouse makes of collected counters and profiles: increments, and growth."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

import numpy as np
import pytest

from social_assets.contracts.registry import contract
from social_assets.defs.warehouse.speed_checks import difference
from social_assets.warehouse.dbt.project import DbtError
from tests.integration.warehouse.collected.dbt_checks import run_checks
from tests.integration.warehouse.conftest import Row, WarehouseUnderTest, at

BEGIN = at("2026-01-01 23:00")
TABLES = ("post_counter_increments", "post_counters_daily")
Increments = dict[tuple[str, str], list[tuple[int, int, int]]]


def counters(minutes: int, endpoint: str = "posts", post: str = "p", **told: int | None) -> Row:
    collected_at = BEGIN + timedelta(minutes=minutes)
    return {
        "platform": "X",
        "account_id": "1",
        "post_id": post,
        "endpoint": endpoint,
        "collected_at": collected_at,
        "event_time": collected_at,
        **told,
    }


def increments(warehouse: WarehouseUnderTest) -> Increments:
    """Total, what came and what was taken back, by post and counter, in order of time."""
    found: Increments = defaultdict(list)
    rows = warehouse.client.query(
        "SELECT post_id, counter, max(total), sum(initial) + sum(added), sum(taken_back)\n"
        "FROM star.post_counter_increments\n"
        "GROUP BY post_id, counter, collected_at ORDER BY collected_at"
    ).result_rows
    for post, counter, *numbers in rows:
        found[post, counter].append(tuple(numbers))
    return found


def by_day(warehouse: WarehouseUnderTest) -> list[tuple[int, int, int]]:
    """What came and what was taken back of all posts, by day of January, in the rollup."""
    rows = warehouse.client.query(
        "SELECT toDayOfMonth(event_date), sum(initial_sum) + sum(added_sum), sum(taken_back_sum)\n"
        "FROM rollups.post_counters_daily GROUP BY event_date ORDER BY event_date"
    ).result_rows
    return [(day, came, gone) for day, came, gone in rows]


def check_that_increments_add_up(warehouse: WarehouseUnderTest) -> None:
    run_checks(warehouse, "increments_add_up_to_totals")


def profile(day: str, followers: int | None, hour: int = 10) -> Row:
    collected_at = at(f"2026-01-{day} {hour:02}:00")
    return {
        "platform": "X",
        "account_id": "1",
        "collected_at": collected_at,
        "event_time": collected_at,
        "followers": followers,
    }


def test_counters_become_increments_and_a_fall_is_a_correction(
    warehouse: WarehouseUnderTest,
) -> None:
    warehouse.stream(
        "post_counters",
        counters(0, likes=10),
        counters(0, endpoint="posts_by_id", likes=11, views=100),
        counters(15, likes=9),
        counters(120, likes=15, views=150),
    )
    assert increments(warehouse) == {
        ("p", "likes"): [(11, 11, 0), (9, 0, 2), (15, 6, 0)],
        ("p", "views"): [(100, 100, 0), (150, 50, 0)],
    }
    before = warehouse.client.query(
        "SELECT collected_before, initial, added FROM star.post_counter_increments\n"
        "WHERE counter = 'views' ORDER BY collected_at"
    ).result_rows
    assert before == [(None, 100, 0), (BEGIN.replace(tzinfo=None), 0, 50)]


def test_a_collection_that_lands_late_parts_the_increment_of_the_next_one(
    warehouse: WarehouseUnderTest,
) -> None:
    warehouse.stream("post_counters", counters(0, likes=0), counters(60, likes=9))
    warehouse.stream("post_counters", counters(30, likes=4))
    assert increments(warehouse)["p", "likes"] == [(0, 0, 0), (4, 4, 0), (9, 5, 0)]


def test_a_collection_that_lands_before_the_first_one_takes_its_place(
    warehouse: WarehouseUnderTest,
) -> None:
    warehouse.stream("post_counters", counters(60 * 24 * 9, likes=9, views=3))
    warehouse.stream("post_counters", counters(0, likes=4))
    assert increments(warehouse) == {
        ("p", "likes"): [(4, 4, 0), (9, 5, 0)],
        ("p", "views"): [(3, 3, 0)],
    }
    initial = "SELECT sum(initial) FROM star.post_counter_increments WHERE counter = 'likes'"
    assert warehouse.value(initial) == 4


def test_an_endpoint_that_lands_later_raises_the_total_of_its_collection(
    warehouse: WarehouseUnderTest,
) -> None:
    warehouse.stream("post_counters", counters(0, likes=10), counters(60, likes=12))
    warehouse.stream("post_counters", counters(0, endpoint="posts_by_id", likes=11))
    assert increments(warehouse)["p", "likes"] == [(11, 11, 0), (12, 1, 0)]


def test_the_collection_before_is_found_on_any_older_day(warehouse: WarehouseUnderTest) -> None:
    day = 60 * 24
    warehouse.stream("post_counters", counters(0, likes=1, views=7))
    warehouse.stream("post_counters", counters(20 * day, likes=2))
    warehouse.stream("post_counters", counters(21 * day, likes=4, views=9))
    warehouse.stream("post_counters", counters(40 * day, likes=3))
    assert increments(warehouse) == {
        ("p", "likes"): [(1, 1, 0), (2, 1, 0), (4, 2, 0), (3, 0, 1)],
        ("p", "views"): [(7, 7, 0), (9, 2, 0)],
    }


def test_increments_do_not_depend_on_the_order_of_landing_and_equal_rebuilt_days(
    warehouse: WarehouseUnderTest,
) -> None:
    chance = np.random.default_rng(11)
    rows = [
        counters(
            int(chance.integers(0, 60 * 24 * 12)) // 30 * 30 + 1,
            endpoint=str(chance.choice(["posts", "posts_by_id"])),
            post=str(chance.choice(list("pqr"))),
            likes=int(chance.integers(0, 40)),
            views=int(chance.integers(0, 40)) if chance.random() < 0.3 else None,
        )
        for _ in range(200)
    ]
    rows = list({(r["post_id"], r["endpoint"], r["collected_at"]): r for r in rows}.values())
    for part in np.array_split(np.arange(len(rows)), 8):
        warehouse.stream("post_counters", *(rows[number] for number in part))
    arrived, summed = increments(warehouse), by_day(warehouse)
    check_that_increments_add_up(warehouse)
    tables = [warehouse.table(name) for name in TABLES]
    assert all(difference(warehouse.client, table, None).passed for table in tables)
    for table in tables:
        warehouse.client.command(f"TRUNCATE TABLE {table.qualified_name} SYNC")
    assert not any(difference(warehouse.client, table, None).passed for table in tables[:1])
    warehouse.backfill(at("2026-01-01 00:00").date(), at("2026-01-14 00:00").date(), *TABLES)
    assert increments(warehouse) == arrived
    assert by_day(warehouse) == summed


def test_a_rebuilt_day_rebuilds_the_next_day_of_its_posts(warehouse: WarehouseUnderTest) -> None:
    hours = (0, 10, 24 * 5, 24 * 5 + 1, 24 * 9)
    rows = [counters(60 * hour, likes=hour, post=post) for hour in hours for post in "pq"]
    warehouse.stream("post_counters", *rows)
    gone = at("2026-01-02 00:00").date()
    # As a rebuilt day of `cleaned` is swapped: no view runs.
    warehouse.client.command(f"ALTER TABLE cleaned.post_counters DROP PARTITION '{gone}'")
    warehouse.backfill(gone, gone, *TABLES)
    of_post = [(0, 0, 0), (24 * 5, 24 * 5, 0), (24 * 5 + 1, 1, 0), (24 * 9, 24 * 4 - 1, 0)]
    assert increments(warehouse) == {("p", "likes"): of_post, ("q", "likes"): of_post}
    of_days = {1: 0, 6: 24 * 5, 7: 1, 10: 24 * 4 - 1}
    assert by_day(warehouse) == [(day, 2 * came, 0) for day, came in of_days.items()]
    check_that_increments_add_up(warehouse)


def test_increments_of_any_counters_add_up_to_their_totals(warehouse: WarehouseUnderTest) -> None:
    chance = np.random.default_rng(7)
    # A number below 0 is one that the platform does not show.
    likes, shares = chance.integers(-20, 50, 400).tolist(), chance.integers(-5, 5, 400).tolist()
    rows = [
        counters(
            15 * number,
            post="pq"[number % 2],
            likes=likes[number] if likes[number] >= 0 else None,
            shares=shares[number] if shares[number] >= 0 else None,
        )
        for number in range(400)
    ]
    warehouse.stream("post_counters", *rows)
    for numbers in increments(warehouse).values():
        assert sum(added - back for _, added, back in numbers) == numbers[-1][0]
        assert all(added >= 0 and back >= 0 and not (added and back) for _, added, back in numbers)
    check_that_increments_add_up(warehouse)


def test_every_counter_of_the_contract_has_increments(warehouse: WarehouseUnderTest) -> None:
    columns = contract("post_counters").cleaned_columns
    names = {column.name for column in columns if column.type == "integer"}
    warehouse.stream("post_counters", counters(0, **dict.fromkeys(names, 3)))
    assert {counter for _, counter in increments(warehouse)} == names


@pytest.mark.parametrize("lost", ["counter = 'shares'", "collected_before IS NOT NULL"])
def test_the_check_finds_a_table_that_lacks_rows(warehouse: WarehouseUnderTest, lost: str) -> None:
    warehouse.stream("post_counters", counters(0, likes=1, shares=1), counters(15, likes=2))
    check_that_increments_add_up(warehouse)
    warehouse.client.command(f"DELETE FROM star.post_counter_increments WHERE {lost}")
    with pytest.raises(DbtError, match="increments_add_up_to_totals"):
        check_that_increments_add_up(warehouse)


def test_growth_is_told_if_the_day_before_is_known(warehouse: WarehouseUnderTest) -> None:
    warehouse.stream(
        "profiles",
        profile("01", 100, hour=8),
        profile("01", 110, hour=20),
        profile("02", None),
        profile("03", 90),
        profile("08", 220),
        profile("09", 300),
    )
    rows = warehouse.client.query(
        "SELECT toDayOfMonth(event_date), followers, followers_gained, growth_7_days\n"
        "FROM star.account_history ORDER BY event_date"
    ).result_rows
    assert rows == [
        (1, 110, None, None),
        (2, None, None, None),
        (3, 90, -20, None),
        (8, 220, 130, 1.0),
        (9, 300, 80, None),
    ]
