"""A run of the whole group: its requirements, artifacts, tables and metadata."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import recsys
from tests.integration.recommend.recommender_runs import (
    POSTS,
    TASTES,
    USERS,
    Recommend,
    Warehouse,
    champion_version,
    failure,
    metadata,
    results,
)

pytestmark = pytest.mark.endurance


def test_a_first_run_publishes_a_champion_and_serves_it(
    warehouse: Warehouse, recommend: Recommend, artifacts: Path
) -> None:
    warehouse.engage()
    result = recommend()

    assert result.success
    assert {"beats_popularity", "keeps_up_with_champion", "is_of_the_champion"} <= set(
        results(result)
    )
    assert all(results(result).values())
    model = recsys.load(artifacts / "champion")
    assert model.manifest["version"] == result.run_id
    assert model.manifest["metrics"]["gain_low"] > 0
    assert model.manifest["data_window"][1] == "2026-11-15T00:00:00+00:00"
    of_user_9 = [row for row in warehouse.served() if row[0] == "9"]
    assert [row[1] for row in of_user_9] == list(range(1, 21))
    assert [row[2] for row in of_user_9] == model.recommend("9", 20)["item_id"].to_pylist()
    assert {row[3] for row in warehouse.served()} == {result.run_id}


def test_a_materialization_tells_what_was_learned_from_and_how_well(
    warehouse: Warehouse, recommend: Recommend
) -> None:
    warehouse.engage()
    result = recommend()

    matrix = metadata(result, "interaction_matrix")
    assert (matrix["users"], matrix["items"], matrix["events"]) == (USERS, POSTS, 14 * 1500)
    assert matrix["data_window"] == "2026-11-01 to 2026-11-14, evaluated from 2026-11-12"
    assert matrix["events_without_dimension"] == 0
    als, popularity = metadata(result, "als"), metadata(result, "popularity")
    assert als["ndcg@10"] > 1.5 * popularity["ndcg@10"]
    assert "| ndcg |" in als["metrics"]
    champion = metadata(result, "champion")
    assert "beats popularity" in champion["decision"]
    assert champion["replaced"] == "none"
    assert metadata(result, "top_n")["dagster/row_count"] == len(warehouse.served())


def test_new_data_makes_a_new_version_and_the_old_one_stays(
    warehouse: Warehouse, recommend: Recommend, artifacts: Path
) -> None:
    warehouse.engage()
    first = recommend()
    warehouse.engage(days=1)
    second = recommend()

    assert second.success
    assert champion_version(artifacts) == second.run_id
    assert first.run_id in metadata(second, "champion")["replaced"]
    assert recsys.load(artifacts / "champion" / metadata(first, "champion")["model"] / first.run_id)
    assert {row[3] for row in warehouse.served()} == {second.run_id}


def test_a_post_of_no_one_is_served_by_its_text(
    warehouse: Warehouse, recommend: Recommend, artifacts: Path
) -> None:
    warehouse.engage()
    warehouse.publish("fresh", "about 3")
    models = ("interaction_matrix", "popularity", "hybrid", "challenger", "champion")
    assert recommend(*models, "similar_items").success

    model = recsys.load(artifacts / "champion")
    assert model.manifest["items"] == POSTS + 1
    assert model.seen.indices.tolist().count(model.items.index("fresh").as_py()) == 0
    alike = model.similar_items("fresh", 5)["item_id"].to_pylist()
    assert {int(post[1:]) % TASTES for post in alike} == {3}
    offered = model.recommend_for_items(["fresh"], 5)["item_id"].to_pylist()
    assert {int(post[1:]) % TASTES for post in offered} == {3}
    served = warehouse.client.query(
        "SELECT similar_item_id FROM recsys.similar_items WHERE item_id = 'fresh' ORDER BY rank"
    ).result_rows
    assert [post for (post,) in served][:5] == alike


def test_videos_are_items_beside_posts_where_it_is_asked_for(
    warehouse: Warehouse, recommend: Recommend, artifacts: Path
) -> None:
    warehouse.engage()
    warehouse.watch()
    result = recommend(interaction_matrix={"videos": True})

    assert result.success
    assert all(results(result).values())
    items = recsys.load(artifacts / "champion").items.to_pylist()
    assert sum(item.startswith("video:") for item in items) == 40
    assert {item.startswith("video:") for _, _, item, _ in warehouse.served()} == {True, False}
    assert metadata(recommend("top_n"), "top_n")["users_kept"] == USERS


@pytest.mark.parametrize(
    ("days", "says"),
    [(0, "load engagement_events first"), (1, "load engagement_events of another day")],
)
def test_too_few_days_fail_with_what_to_do(
    warehouse: Warehouse, recommend: Recommend, days: int, says: str
) -> None:
    warehouse.engage(days)
    result = recommend()

    assert not result.success
    assert says in failure(result)


def test_a_warehouse_without_tables_fails_with_what_to_do(
    warehouse: Warehouse, recommend: Recommend
) -> None:
    warehouse.client.command("DROP DATABASE star SYNC")
    assert "materialize star/fact_engagement, star/dim_user" in failure(recommend())


def test_a_handful_of_events_is_evaluated_and_not_published(
    warehouse: Warehouse, recommend: Recommend, artifacts: Path
) -> None:
    warehouse.engage(days=3, events=40)
    result = recommend()

    assert not result.success
    assert results(result)["beats_popularity"] is False
    assert not (artifacts / "champion").exists()


def test_candidates_are_built_with_what_tuning_found(
    warehouse: Warehouse, recommend: Recommend, artifacts: Path
) -> None:
    warehouse.engage()
    tuned = recommend("interaction_matrix", "tuning", tuning={"models": ["item_bm25"], "trials": 3})
    assert "| item_bm25 | 3 |" in metadata(tuned, "tuning")["studies"]
    found = json.loads((artifacts / "candidates/item_bm25/tuned.json").read_text())
    assert metadata(recommend("item_bm25"), "item_bm25")["parameters"] == found
