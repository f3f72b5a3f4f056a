"""Collected profiles, their history, and audiences: true values, page by page, and for whom."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.integration.serving.conftest import NOON, Api
from tests.integration.serving.test_posts_and_accounts import pages

_SHOWN = ("platform", "account_id", "handle", "followers", "following", "is_verified", "biography")


def shown(found: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in _SHOWN) for row in found]


def test_each_account_has_its_newest_profile_and_what_it_does_not_show_is_null(
    serving: Api,
) -> None:
    [first, second] = pages(serving.client(), "/api/v1/profiles?limit=2", "profiles")
    assert shown(first + second) == [
        ("Instagram", "1", "one", 100, None, True, None),
        ("Instagram", "2", "two", 7, None, None, None),
        ("TikTok", "3", "three", None, 0, None, None),
    ]
    assert datetime.fromisoformat(first[0]["collected_at"]) == NOON + timedelta(hours=1)


@pytest.mark.parametrize(
    ("query", "expected"),
    [("platform=TikTok", ["3"]), ("account=2", ["2"]), ("account=2&platform=TikTok", [])],
)
def test_profiles_are_those_of_a_platform_or_an_account(
    serving: Api, query: str, expected: list[str]
) -> None:
    found = serving.client().get(f"/api/v1/profiles?{query}").json()["profiles"]
    assert [row["account_id"] for row in found] == expected


def test_a_history_has_all_profiles_newest_first(serving: Api) -> None:
    found = pages(serving.client(), "/api/v1/profiles/1/history?limit=1", "profiles")
    assert [[row["followers"] for row in page] for page in found] == [[100], [90]]
    assert found[1][0]["biography"] == "Walks"


def test_an_audience_is_of_the_newest_collection_with_the_share_of_each_segment(
    serving: Api,
) -> None:
    found = pages(serving.client(), "/api/v1/audience?limit=2", "audience")
    assert [len(page) for page in found] == [2, 1]
    rows = [row for page in found for row in page]
    assert [(row["dimension"], row["segment"], row["value"], row["share"]) for row in rows] == [
        ("age,gender", "18-24,F", 30.0, 0.3),
        ("age,gender", "18-24,M", 10.0, 0.1),
        ("age,gender", "25-34,F", 60.0, 0.6),
    ]


def test_a_key_sees_the_profiles_and_audiences_of_its_accounts(serving: Api) -> None:
    client = serving.client(serving.key("instagram:2"))
    assert [r["account_id"] for r in client.get("/api/v1/profiles").json()["profiles"]] == ["2"]
    assert client.get("/api/v1/profiles/1/history").json()["profiles"] == []
    assert client.get("/api/v1/audience").json()["audience"] == []
    own = serving.client(serving.key("instagram:1"))
    assert len(own.get("/api/v1/audience").json()["audience"]) == 3
