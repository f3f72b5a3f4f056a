"""Why a post is recommended: posts of the user that go with it."""

from __future__ import annotations

import pytest

from tests.integration.serving.conftest import Api
from tests.integration.serving.recommended.conftest import Recommending, ask, ids

pytestmark = pytest.mark.usefixtures("_read_at_each_request")


def path(user: str, item: str) -> str:
    return f"/api/v1/users/{user}/recommendations/{item}/reasons"


def test_the_posts_of_the_user_that_weighed_most_are_told(
    recommending: Recommending, api: Api
) -> None:
    best = ids(ask(api, "u4"))[0]
    answer = api.client().get(path("u4", best), params={"limit": 2}).json()
    found = [each["item_id"] for each in answer["reasons"]]
    had = recommending.warehouse.client.query(
        "SELECT DISTINCT post_id FROM cleaned.engagement_events WHERE user_id = 'u4'"
    ).result_rows
    assert 1 <= len(found) <= 2 and set(found) <= {post for (post,) in had}
    weights = [each["weight"] for each in answer["reasons"]]
    assert weights == sorted(weights, reverse=True) and weights[-1] > 0
    assert answer["model"] == "als"


@pytest.mark.parametrize(
    ("user", "item", "parameter"), [("u4", "nowhere", "item_id"), ("nobody", "p2", "user_id")]
)
def test_what_the_model_does_not_know_is_answered_404(
    api: Api, user: str, item: str, parameter: str
) -> None:
    answer = api.client().get(path(user, item))
    assert (answer.status_code, answer.json()["parameter"]) == (404, parameter)
    assert answer.json()["remedy"]


def test_a_key_of_an_account_is_told_posts_of_that_account_only(api: Api) -> None:
    key = api.key("instagram:1")
    offered = ids(ask(api, "u4", key))[0]
    answer = api.client(key).get(path("u4", offered), params={"limit": 20}).json()
    assert all(int(each["item_id"][1:]) % 2 == 0 for each in answer["reasons"])
    assert api.client(key).get(path("u4", "p1")).status_code == 404
