"""A key sees its accounts and nothing else, and cannot tell a hidden account from none."""

from __future__ import annotations

import pytest

from tests.integration.serving.conftest import Api

RANGE = "range=last_30_days"


def test_totals_are_those_of_the_accounts_that_the_key_sees(serving: Api) -> None:
    answer = serving.client(serving.key("instagram:1")).get(f"/api/v1/query?metrics=likes&{RANGE}")
    assert answer.json()["rows"] == [{"likes": 30.0}]
    both = serving.client(serving.key("instagram:1", "instagram:2"))
    assert both.get(f"/api/v1/query?metrics=likes&{RANGE}").json()["rows"] == [{"likes": 35.0}]


def test_an_id_of_one_platform_is_not_the_same_id_of_another(serving: Api) -> None:
    """Account 3 is of TikTok; the key sees an account 3 of Instagram, which there is not."""
    client = serving.client(serving.key("instagram:3", "tiktok:1"))
    assert client.get(f"/api/v1/query?metrics=likes&{RANGE}").json()["rows"] == []


@pytest.mark.parametrize(
    "path",
    [
        f"/api/v1/query?metrics=likes&{RANGE}&where.account=%s",
        f"/api/v1/query?metrics=likes&by=account&grain=day&{RANGE}&where.account=%s",
        f"/api/v1/query?metrics=share_of_voice&by=account&{RANGE}&where.account=%s",
    ],
)
def test_a_hidden_account_answers_as_one_that_does_not_exist(serving: Api, path: str) -> None:
    client = serving.client(serving.key("instagram:1"))
    hidden, absent = client.get(path % "2"), client.get(path % "987654321")
    assert hidden.status_code == absent.status_code == 200
    without_now = [
        {name: value for name, value in each.json().items() if name not in ("from", "to")}
        for each in (hidden, absent)
    ]
    assert without_now[0] == without_now[1]
    assert without_now[0]["rows"] == [] and without_now[0]["rows_read"] == 0


def test_a_key_of_accounts_cannot_ask_for_what_is_not_known_by_account(serving: Api) -> None:
    client = serving.client(serving.key("instagram:1"))
    answer = client.get(f"/api/v1/query?metrics=watch_time&{RANGE}")
    assert answer.status_code == 400
    assert "not known by account" in answer.json()["detail"]


def test_no_key_is_given_the_cached_answer_of_another_scope(serving: Api) -> None:
    path = f"/api/v1/query?metrics=likes&by=account&{RANGE}"
    everyone = serving.client(serving.key()).get(path)
    assert len(everyone.json()["rows"]) == 3
    one = serving.client(serving.key("instagram:2")).get(path)
    assert [row["account"] for row in one.json()["rows"]] == ["2"]
    assert one.headers["x-cache"] == "miss"
