"""What the warehouse makes of collected counters and profiles: increments, and growth."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

import numpy as np
import pytest

from social_assets.contracts.registry import contract
from social_assets.warehouse.dbt.project import (
    DbtError,
    dbt_arguments,
    dbt_environment,
    run_dbt,
)
from tests.integration.warehouse.conftest import Row, WarehouseUnderTest, at

BEGIN = at("2026-01-01 23:00")
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
    """Total, what was added and what was taken back, by post and counter, in order of time."""
    found: Increments = defaultdict(list)
    rows = warehouse.client.query(
        "SELECT post_id, counter, total, added, taken_back FROM star.post_counter_changes\n"
        "ORDER BY collected_at"
    ).result_rows
    for post, counter, *numbers in rows:
        found[post, counter].append(tuple(numbers))
    return found


def check_that_increments_add_up(warehouse: WarehouseUnderTest) -> None:
    environment = dbt_environment(warehouse.endpoint, "test", 1)
    arguments = dbt_arguments("test", ["increments_add_up_to_totals"])
    run_dbt(warehouse.project.dbt, arguments, environment, warehouse.home.logs)


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
        "SELECT collected_before FROM star.post_counter_changes WHERE counter = 'views'\n"
        "ORDER BY collected_at"
    ).result_rows
    assert before == [(None,), (BEGIN.replace(tzinfo=None),)]


def test_a_collection_that_lands_late_parts_the_increment_of_the_next_one(
    warehouse: WarehouseUnderTest,
) -> None:
    warehouse.stream("post_counters", counters(0, likes=0), counters(60, likes=9))
    warehouse.stream("post_counters", counters(30, likes=4))
    assert increments(warehouse)["p", "likes"] == [(0, 0, 0), (4, 4, 0), (9, 5, 0)]


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


def test_the_check_finds_a_view_that_leaves_rows_out(warehouse: WarehouseUnderTest) -> None:
    warehouse.stream("post_counters", counters(0, likes=1, shares=1), counters(15, likes=2))
    check_that_increments_add_up(warehouse)
    view, aside = "star.post_counter_changes", "star.post_counter_changes_aside"
    warehouse.client.command(f"RENAME TABLE {view} TO {aside}")
    try:
        for condition in ("counter != 'shares'", "collected_before IS NULL"):
            warehouse.client.command(
                f"CREATE OR REPLACE VIEW {view} AS SELECT * FROM {aside} WHERE {condition}"
            )
            with pytest.raises(DbtError, match="increments_add_up_to_totals"):
                check_that_increments_add_up(warehouse)
    finally:
        warehouse.client.command(f"DROP VIEW IF EXISTS {view}")
        warehouse.client.command(f"RENAME TABLE {aside} TO {view}")


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
