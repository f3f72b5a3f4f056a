"""Posts, accounts, comparisons and recommendations: what they hold, page by page, and for whom."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.integration.serving.conftest import Api


def pages(client: TestClient, path: str, name: str) -> list[list[dict[str, Any]]]:
    """All pages of a list."""
    found: list[list[dict[str, Any]]] = []
    cursor: str | None = ""
    while cursor is not None and len(found) < 20:
        more = {"cursor": cursor} if cursor else {}
        answer = client.get(path, params={**dict(p.split("=") for p in path_query(path)), **more})
        assert answer.status_code == 200, answer.text
        found.append(answer.json()[name])
        cursor = answer.json()["next"]
    return found


def path_query(path: str) -> list[str]:
    return path.partition("?")[2].split("&")


def ids(found: list[list[dict[str, Any]]], name: str) -> list[list[str]]:
    return [[row[name] for row in page] for page in found]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("limit=3", [["p4", "p3", "p2"], ["p1"]]),
        ("limit=1&account=1", [["p2"], ["p1"]]),
        ("limit=9&platform=TikTok", [["p4"]]),
        ("limit=9&search=RIVER", [["p3", "p1"]]),
        ("limit=9&search=river+winter", [["p3"]]),
        ("limit=3&sort=likes", [["p1", "p2", "p3"], ["p4"]]),
        ("limit=9&sort=-likes", [["p4", "p3", "p2", "p1"]]),
        ("limit=9&sort=likes&search=river", [["p1", "p3"]]),
    ],
)
def test_posts_come_in_pages_by_time_or_metric(
    serving: Api, query: str, expected: list[list[str]]
) -> None:
    query = query.replace("+", " ")
    assert ids(pages(serving.client(), f"/api/v1/posts?{query}", "posts"), "post_id") == expected


def test_a_post_comes_with_its_metrics(serving: Api) -> None:
    [found] = serving.client().get("/api/v1/posts?account=2").json()["posts"]
    assert found["content"] == "The river in winter" and found["account_id"] == "2"
    assert found["metrics"]["likes"] == 5.0


@pytest.mark.parametrize("forged", ["x", "AAAA", "%s0", "%s="])
def test_a_cursor_that_was_changed_is_refused(serving: Api, forged: str) -> None:
    cursor = serving.client().get("/api/v1/posts?limit=1").json()["next"]
    changed = forged % cursor[1:] if "%" in forged else forged
    answer = serving.client().get("/api/v1/posts", params={"limit": "1", "cursor": changed})
    assert answer.status_code == 400
    assert answer.json()["parameter"] == "cursor"


def test_a_cursor_is_of_its_question_and_of_what_its_caller_sees(serving: Api) -> None:
    cursor = serving.client().get("/api/v1/posts?limit=1").json()["next"]
    other = serving.client().get(f"/api/v1/posts?limit=2&cursor={cursor}")
    assert other.status_code == 400
    scoped = serving.client(serving.key("instagram:1"))
    assert scoped.get(f"/api/v1/posts?limit=1&cursor={cursor}").status_code == 400


def test_the_metrics_of_a_hidden_post_answer_as_those_of_none(serving: Api) -> None:
    client = serving.client(serving.key("instagram:1"))
    assert client.get("/api/v1/posts/p1/metrics?metrics=likes").json()["rows"] == [{"likes": 20.0}]
    hidden, absent = (client.get(f"/api/v1/posts/{name}/metrics") for name in ("p3", "p999"))
    assert hidden.status_code == absent.status_code == 404
    texts = [each.text.replace(each.json()["request_id"], "") for each in (hidden, absent)]
    assert texts[0] == texts[1]


def test_accounts_and_posts_are_those_that_the_key_sees(serving: Api) -> None:
    every = pages(serving.client(), "/api/v1/accounts?limit=2", "accounts")
    assert ids(every, "account_id") == [["1", "2"], ["3"]]
    client = serving.client(serving.key("instagram:2", "tiktok:1"))
    assert ids(pages(client, "/api/v1/accounts?limit=5", "accounts"), "account_id") == [["2"]]
    assert ids(pages(client, "/api/v1/posts?limit=5", "posts"), "post_id") == [["p3"]]


def test_accounts_are_compared_by_rank_share_and_index(serving: Api) -> None:
    found = (
        serving.client()
        .get("/api/v1/benchmark?metric=likes&accounts=instagram:1,instagram:2,tiktok:3,tiktok:9")
        .json()
    )
    assert found["median"] == 5.0
    assert [
        (row["account"], row["value"], row["rank"], row["index"]) for row in found["accounts"]
    ] == [
        ("Instagram:1", 30.0, 1, 600.0),
        ("Instagram:2", 5.0, 2, 100.0),
        ("TikTok:3", 2.0, 3, 40.0),
        ("TikTok:9", None, None, None),
    ]
    assert sum(row["share"] or 0 for row in found["accounts"]) == pytest.approx(1)


def test_values_that_are_not_summed_have_no_share(serving: Api) -> None:
    path = "/api/v1/benchmark?metric=unique_users&accounts=instagram:1,instagram:2"
    assert {row["share"] for row in serving.client().get(path).json()["accounts"]} == {None}


def test_a_hidden_account_is_compared_as_one_that_does_not_exist(serving: Api) -> None:
    client = serving.client(serving.key("instagram:1"))
    path = "/api/v1/benchmark?metric=likes&accounts=instagram:1,instagram:%s"
    hidden, absent = (client.get(path % name).text for name in ("2", "7"))
    assert hidden.replace("Instagram:2", "") == absent.replace("Instagram:7", "")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("profiles?account=999", "profiles"),
        ("profiles/999/history", "profiles"),
        ("audience?account=2", "audience"),
        ("users/u1/recommendations", "items"),
        ("items/p1/similar", "items"),
    ],
)
def test_what_has_no_data_yet_answers_an_empty_list_and_says_why(
    serving: Api, path: str, name: str
) -> None:
    found = serving.client().get(f"/api/v1/{path}").json()
    assert found[name] == [] and found["note"]
