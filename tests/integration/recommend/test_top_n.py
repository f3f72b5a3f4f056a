"""The serving tables: their checks, and the swap."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

import recsys
from social_assets.defs.recommenders.assets import checks
from social_assets.recommend import model_lists
from tests.integration.recommend.recommender_runs import (
    USERS,
    Recommend,
    Warehouse,
    champion_version,
    definitions,
    metadata,
    results,
)

pytestmark = pytest.mark.endurance

_BY = "{model:String}, {version:String}, now64(6), 0, 1, ''"
_BY_ANOTHER = "{model:String}, 'another version', now64(6), 0, 1, ''"
WRONG_ROWS = {
    f"('0', 1, 'p1', 0, {_BY})": "one_row_a_user_and_rank",
    f"('0', 21, 'p1', 0, {_BY})": "one_row_a_user_and_rank",
    f"('x', 2, 'p1', 0, {_BY})": "one_row_a_user_and_rank",
    f"('x', 1, 'nowhere', 0, {_BY})": "items_are_known",
    f"('x', 1, 'p1', 0, {_BY_ANOTHER})": "is_of_the_champion",
}


def test_a_wrong_row_in_the_serving_table_makes_its_check_fail(
    warehouse: Warehouse, recommend: Recommend, artifacts: Path
) -> None:
    warehouse.engage(days=6)
    recommend()
    model = recsys.load(artifacts / "champion").manifest["model"]
    version = {"version": champion_version(artifacts), "model": model}
    job = dg.define_asset_job("verify", dg.AssetSelection.checks(*on_top_n()))
    for row, check in WRONG_ROWS.items():
        warehouse.client.command(f"INSERT INTO recsys.top_n VALUES {row}", parameters=version)
        result = definitions(job).resolve_job_def("verify").execute_in_process()
        assert [name for name, passed in results(result).items() if not passed] == [check]
        assert recommend("top_n").success


def on_top_n() -> list[dg.AssetChecksDefinition]:
    return [c for c in checks if {k.asset_key.path[-1] for k in c.check_keys} == {"top_n"}]


def test_between_trainings_only_users_who_changed_are_ranked_anew(
    warehouse: Warehouse, recommend: Recommend
) -> None:
    def counts() -> tuple[int, int, int]:
        found = metadata(recommend("top_n"), "top_n")
        return found["users_ranked"], found["users_kept"], found["users_gone"]

    def lists() -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for user, _, item, _ in warehouse.served():
            found.setdefault(user, []).append(item)
        return found

    warehouse.engage()
    assert metadata(recommend(), "top_n")["users_ranked"] == USERS
    before = lists()
    assert counts() == (0, USERS, 0)

    liked = before["9"][0]
    warehouse.react("9", liked)
    warehouse.arrive("newcomer")
    warehouse.react("newcomer", liked)
    warehouse.erase("3")
    assert counts() == (2, USERS - 2, 1)

    after = lists()
    assert "3" not in after
    assert liked not in after["9"]
    assert len(after["newcomer"]) == 20
    assert all(after[user] == before[user] for user in before.keys() - {"3", "9"})
    assert counts() == (0, USERS, 0)
    assert metadata(recommend("similar_items"), "similar_items")["items_ranked"] == 0


def test_a_run_that_dies_while_filling_leaves_what_is_served(
    warehouse: Warehouse, recommend: Recommend, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.engage(days=6)
    recommend()
    served = warehouse.served()

    def die(*_: object) -> None:
        raise ConnectionError("the network is gone")

    monkeypatch.setattr(model_lists, "_labelled", die)
    warehouse.engage(days=1)
    result = recommend("top_n")
    tables = warehouse.client.query("SHOW TABLES FROM recsys").result_rows

    assert not result.success
    assert warehouse.served() == served
    assert [tuple(row) for row in tables] == [("similar_items",), ("top_n",)]


def test_similar_posts_are_served_with_the_champion_that_finds_them_so(
    warehouse: Warehouse, recommend: Recommend, artifacts: Path
) -> None:
    warehouse.engage()
    assert recommend().success
    [(rows, posts, itself, most, versions)] = warehouse.client.query(
        "SELECT count(), uniqExact(item_id), countIf(item_id = similar_item_id), max(rank),\n"
        "  groupUniqArray(model_version) FROM recsys.similar_items"
    ).result_rows
    assert rows > posts > 0
    assert (itself, most, versions) == (0, 10, [champion_version(artifacts)])
