"""Rules of lists in the graph: what they cost is measured, and lists are made by those in force."""

from __future__ import annotations

import json

import pytest

from social_assets.recommend.list_rules import VARIABLE
from tests.integration.recommend.recommender_runs import (
    Recommend,
    Warehouse,
    failure,
    metadata,
    results,
)

pytestmark = pytest.mark.endurance


def test_rules_are_measured_and_put_in_force(
    warehouse: Warehouse, recommend: Recommend, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.engage()
    assert recommend().success
    most = "SELECT max(posts) FROM (\n" + (
        "  SELECT user_id, account_id, count() AS posts FROM recsys.top_n\n"
        "  LEFT ANY JOIN star.dim_post ON item_id = post_id GROUP BY 1, 2)"
    )
    assert warehouse.client.query(most).first_row[0] > 2

    rules = {"diversity": 0.3, "most_of_creator": 2}
    monkeypatch.setenv(VARIABLE, json.dumps(rules))
    tried = {"rules": json.dumps({"freshness": 0.5})}
    found = metadata(recommend("list_rules", list_rules=tried), "list_rules")
    assert json.loads(found["in_force"]) == rules
    assert found["diversity_gain"] > 0 and found["coverage_gain"] >= 0
    assert found["ndcg_cost"] > 0
    assert found["ndcg@10"] - found["ndcg@10_in_force"] == pytest.approx(found["ndcg_cost"])
    assert '`{"freshness":0.5}`' in found["rules"] and "(in force)" in found["rules"]

    made = metadata(recommend("top_n"), "top_n")
    assert (json.loads(made["rules"]), made["users_kept"]) == (rules, 0)
    assert warehouse.client.query(most).first_row[0] == 2
    assert metadata(recommend("top_n"), "top_n")["users_ranked"] == 0
    monkeypatch.delenv(VARIABLE)
    assert metadata(recommend("top_n"), "top_n")["users_kept"] == 0


def test_rules_that_are_none_are_refused_with_an_example(
    warehouse: Warehouse, recommend: Recommend, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.engage(days=6)
    assert recommend().success
    served = warehouse.served()
    monkeypatch.setenv(VARIABLE, '{"diversity": 2, "surprise": 1}')
    said = failure(recommend("top_n"))
    assert VARIABLE in said and "diversity: Input should be less than or equal to 1" in said
    assert "surprise" in said and '{"diversity": 0.2' in said
    assert warehouse.served() == served


def test_new_posts_are_tried_only_if_places_are_declared(
    warehouse: Warehouse, recommend: Recommend, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.engage(days=6)
    off = recommend("explored_items")
    assert metadata(off, "explored_items")["policy"].startswith("off: ")
    assert results(off) == {"is_not_worse_than_what_was_shown": True}

    monkeypatch.setenv(VARIABLE, '{"explored_places": [5, 10]}')
    warehouse.publish("fresh", "about 1")
    warehouse.client.command(
        "ALTER TABLE star.dim_post UPDATE first_seen_at = now64(6) WHERE post_id = 'fresh'\n"
        "SETTINGS mutations_sync = 2"
    )
    found = metadata(recommend("explored_items"), "explored_items")
    assert (found["policy"], found["places"], found["groups"]) == ("even", "[5, 10]", 3)
    assert "fresh" in found["chances"] and "nothing is learned" in found["decision"]
    sums = warehouse.client.query(
        "SELECT round(sum(chance), 9) FROM recsys.explored_items GROUP BY user_group"
    ).result_rows
    assert [tuple(row) for row in sums] == [(1.0,)] * 3

    monkeypatch.delenv(VARIABLE)
    assert recommend("explored_items").success
    assert warehouse.client.query("SELECT count() FROM recsys.explored_items").first_row[0] == 0
