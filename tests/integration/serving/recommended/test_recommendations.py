"""A user is answered from a list; from a fold-in with newer interactions; or from popularity."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from social_assets.control.api_keys import Role
from tests.integration.serving.conftest import Api
from tests.integration.serving.recommended.conftest import POSTS, Recommending, ask, ids

pytestmark = pytest.mark.usefixtures("_read_at_each_request")


def test_a_user_without_newer_interactions_has_the_list_that_is_served(
    recommending: Recommending, api: Api
) -> None:
    answer = ask(api, "u4", limit=5)
    rows = recommending.warehouse.client.query(
        "SELECT item_id, computed_at FROM recsys.top_n WHERE user_id = 'u4' ORDER BY rank LIMIT 5"
    ).result_rows
    assert ids(answer) == [item for item, _ in rows]
    assert (answer["source"], answer["folded_in"]) == ("list", [])
    assert (answer["model"], answer["model_version"]) == ("als", "v1")
    assert datetime.fromisoformat(answer["computed_at"]) == rows[0][1].replace(tzinfo=UTC)
    assert [item["rank"] for item in answer["items"]] == [1, 2, 3, 4, 5]


def test_a_new_reaction_is_folded_in_and_its_post_left_out(
    recommending: Recommending, api: Api
) -> None:
    liked = ids(ask(api, "u6"))[0]
    recommending.react("u6", liked)
    answer = ask(api, "u6")
    assert (answer["source"], answer["folded_in"]) == ("fold_in", [liked])
    assert answer["items"] and liked not in ids(answer)
    recommending.refresh()
    again = ask(api, "u6")
    assert again["source"] == "list" and ids(again) == ids(answer)


def test_a_new_user_is_recommended_what_goes_with_the_first_reactions(
    recommending: Recommending, api: Api
) -> None:
    assert ask(api, "newcomer")["source"] == "popularity"
    recommending.react("newcomer", "p0", "p2")
    answer = ask(api, "newcomer")
    assert answer["source"] == "fold_in"
    assert sorted(answer["folded_in"]) == ["p0", "p2"]
    assert {"p0", "p2"}.isdisjoint(ids(answer))
    first = ids(answer)[:5]
    assert all(int(post[1:]) % 2 == 0 for post in first), first


def test_an_unknown_user_has_the_most_popular_posts_and_the_answer_says_so(
    recommending: Recommending, api: Api
) -> None:
    answer = ask(api, "nobody")
    assert answer["source"] == "popularity" and "popular" in answer["note"]
    scores = [item["score"] for item in answer["items"]]
    assert scores == sorted(scores, reverse=True) and scores[0] > 1


def test_a_click_on_a_recommendation_is_folded_in_at_once(
    recommending: Recommending, api: Api
) -> None:
    clicked = ids(ask(api, "u8"))[0]
    event = {
        "feedback_id": "click-u8",
        "happened_at": datetime.now(UTC).isoformat(),
        "platform": "instagram",
        "user_id": "u8",
        "item_id": clicked,
        "kind": "click",
    }
    sent = api.client(api.key(role=Role.WRITE)).post("/api/v1/feedback", json={"feedback": [event]})
    assert sent.json() == {"stored": 1}
    answer = ask(api, "u8")
    assert (answer["source"], answer["folded_in"]) == ("fold_in", [clicked])
    assert clicked not in ids(answer)


def test_a_click_that_only_the_warehouse_has_is_folded_in(
    recommending: Recommending, api: Api
) -> None:
    clicked = ids(ask(api, "u10"))[0]
    now = datetime.now(UTC)
    row = {
        "feedback_id": "click-u10",
        "happened_at": now,
        "event_time": now,
        "platform": "Instagram",
        "user_id": "u10",
        "item_id": clicked,
        "kind": "click",
    }
    old = {**row, "feedback_id": "old", "user_id": "u12", "happened_at": now - timedelta(days=2)}
    recommending.warehouse.stream("recommendation_feedback", row, old)
    assert ask(api, "u10")["folded_in"] == [clicked]
    assert ask(api, "u12")["source"] == "list"


def test_a_key_of_an_account_is_recommended_posts_of_that_account_only(
    recommending: Recommending, api: Api
) -> None:
    key = api.key("instagram:1")
    answer = ask(api, "u14", key)
    assert answer["items"] and all(int(post[1:]) % 2 == 0 for post in ids(answer))


def test_a_new_version_of_the_model_is_served_with_its_lists(
    recommending: Recommending, api: Api
) -> None:
    assert ask(api, "u2")["model_version"] == "v1"
    recommending.train("v2")
    answer = ask(api, "u2")
    assert (answer["model_version"], len(answer["items"])) == ("v2", min(20, len(answer["items"])))
    assert len(answer["items"]) <= POSTS
