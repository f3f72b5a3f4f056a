"""Dimensions: one row for each key, the newest known attributes, a member for every key."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from social_assets.defs.warehouse.referential_checks import doubled_keys, unresolved_keys
from tests.integration.warehouse.conftest import Row, WarehouseUnderTest, at
from tests.integration.warehouse.samples import STREAMS


def user(warehouse: WarehouseUnderTest, user_id: str) -> dict[str, Any]:
    found = warehouse.client.query(
        "SELECT * FROM star.dim_user WHERE user_id = {id:String}", parameters={"id": user_id}
    )
    rows = list(found.named_results())
    assert len(rows) == 1
    return rows[0]


def video(time: str, **told: object) -> Row:
    return {"user_id": "7", "video_id": "1", "event_time": at(time), **told}


def test_a_user_of_four_streams_is_one_row(warehouse: WarehouseUnderTest) -> None:
    warehouse.stream("video_interactions", video("2026-01-01 10:00", location="India", debt=True))
    warehouse.stream("live_streaming", {"user_id": "7", "event_time": at("2026-01-03 10:00")})
    warehouse.stream(
        "community_interactions",
        {"user_id": "7", "age": 44, "gender": "Female", "event_time": at("2026-01-02 10:00")},
    )
    warehouse.stream(
        "engagement_events",
        {"event_id": "e", "user_id": "7", "post_id": "p", "event_time": at("2026-01-04 10:00")},
    )
    found = user(warehouse, "7")
    assert (found["location"], found["debt"], found["gender"], found["age"]) == (
        "India",
        True,
        "Female",
        44,
    )
    assert found["first_seen_at"] == at("2026-01-01 10:00").replace(tzinfo=None)
    assert found["last_seen_at"] == at("2026-01-04 10:00").replace(tzinfo=None)


def test_what_is_unknown_does_not_replace_what_is_known(warehouse: WarehouseUnderTest) -> None:
    warehouse.stream("video_interactions", video("2026-01-01 10:00", profession="Nurse"))
    warehouse.stream("video_interactions", video("2026-01-02 10:00", profession="Unknown"))
    assert user(warehouse, "7")["profession"] == "Nurse"


def test_what_nobody_told_is_null_or_unknown(warehouse: WarehouseUnderTest) -> None:
    warehouse.stream("live_streaming", {"user_id": "7", "event_time": at("2026-01-03 10:00")})
    found = user(warehouse, "7")
    assert (found["age"], found["income"], found["debt"]) == (None, None, None)
    assert found["location"] == "Unknown"


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_order_of_arrival_does_not_matter(
    warehouse: WarehouseUnderTest, order: tuple[int, ...]
) -> None:
    told = [
        video("2026-01-01 10:00", gender="Male", age=20),
        video("2026-01-02 10:00", gender="Other", age=30),
        video("2026-01-02 10:00", gender="Female", age=31),
    ]
    for number in order:
        warehouse.stream("video_interactions", told[number])
    assert (user(warehouse, "7")["gender"], user(warehouse, "7")["age"]) == ("Other", 31)


def test_a_post_keeps_text_tags_and_times_through_its_state(warehouse: WarehouseUnderTest) -> None:
    post = STREAMS["posts"]()[3]
    warehouse.stream("posts", post)
    found = next(warehouse.client.query("SELECT * FROM star.dim_post").named_results())
    assert found["content"] == "It's post 3"
    assert found["tags"] == ["a", "it's"]
    assert found["published_at"] == at("2025-12-31 12:00").replace(tzinfo=None)
    assert found["account_id"] == post["account_id"]


def test_every_key_of_every_fact_resolves_and_no_key_has_two_rows(
    warehouse: WarehouseUnderTest,
) -> None:
    for name, rows in STREAMS.items():
        warehouse.stream(name, *rows())
    for table in warehouse.project.tables("star"):
        if table.name.startswith("fact_"):
            assert unresolved_keys(warehouse.client, table, None).passed
    dimensions = [key for key in warehouse.project.upstream("star") if "dim_" in key.path[-1]]
    assert len(dimensions) == 13
    for dimension in dimensions:
        assert doubled_keys(warehouse.client, dimension).passed


IDS = ("007", "18446744073709551615", "570306000000000001", "UC_x5XG1OV2P6uZZ5FSM9Ttw")


def test_ids_of_all_dimensions_are_text_with_every_character(
    warehouse: WarehouseUnderTest,
) -> None:
    when = {"event_time": at("2026-01-02 10:00")}
    for number, one in enumerate(IDS):
        post = {"event_id": str(number), "post_id": one, "account_id": one, "user_id": one}
        warehouse.stream("engagement_events", post | when)
        warehouse.stream("video_interactions", {"user_id": one, "video_id": one} | when)
        warehouse.stream("community_interactions", {"user_id": one, "community_id": one} | when)
        warehouse.stream("live_streaming", {"user_id": one, "event_id": one} | when)
    for dimension in ("account", "community", "event", "post", "user", "video"):
        query = f"SELECT {dimension}_id FROM star.dim_{dimension} ORDER BY 1"
        assert tuple(row[0] for row in warehouse.client.query(query).result_rows) == tuple(
            sorted(IDS)
        )
    trends = "SELECT DISTINCT community_id FROM rollups.community_trends ORDER BY 1"
    assert tuple(row[0] for row in warehouse.client.query(trends).result_rows) == tuple(sorted(IDS))


def test_an_id_has_the_surrogate_key_that_it_had_as_a_number(
    warehouse: WarehouseUnderTest,
) -> None:
    warehouse.stream(
        "video_interactions",
        {"user_id": "7", "video_id": "42", "event_time": at("2026-01-02 10:00")},
    )
    query = "SELECT count() FROM star.dim_video WHERE video_key = MD5(toString(toInt64(42)))"
    assert warehouse.value(query) == 1
