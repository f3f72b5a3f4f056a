"""Requests to forget a person over HTTP: recorded once, by who may, and never with the id."""

from __future__ import annotations

import json
import logging

import pytest

from social_assets.control.api_keys import Role
from social_assets.control.privacy.deletion_requests import opened_requests
from social_assets.control.privacy.person import Person
from tests.integration.serving.conftest import Api

PATH = "/api/v1/deletions"


@pytest.fixture
def admin(serving: Api) -> str:
    return serving.key(role=Role.ADMIN)


def test_a_request_is_recorded_for_the_next_night(serving: Api, admin: str) -> None:
    answer = serving.client(admin).post(PATH, json={"id": "ada-1815", "platform": "instagram"})
    assert answer.status_code == 202, answer.text
    told = answer.json()
    assert (told["state"], told["platform"], told["done_at"]) == ("pending", "Instagram", None)
    assert serving.client(admin).get(f"{PATH}/{told['id']}").json() == told
    assert told in serving.client(admin).get(PATH).json()["deletions"]
    with opened_requests(serving.home) as requests:
        persons = {each.request.id: each.person for each in requests.pending()}
    assert persons[told["id"]] == Person("ada-1815", "Instagram")


def test_the_same_person_again_is_the_same_request(serving: Api, admin: str) -> None:
    client = serving.client(admin)
    first, again = (client.post(PATH, json={"id": "twice-1"}).json() for _ in range(2))
    assert first == again
    other = client.post(PATH, json={"id": "twice-1", "platform": "TikTok"}).json()
    assert other["id"] != first["id"]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"id": ""},
        {"id": " blank-around "},
        {"id": "x" * 201},
        {"id": "a\u0000b"},
        {"id": "a\ud800b"},
        {"id": "Unknown"},
        {"id": 17},
        {"id": "sam-77", "platform": "myspace"},
        {"id": "sam-77", "surprise": 1},
    ],
)
def test_a_body_that_names_nobody_is_refused_without_repeating_it(
    serving: Api, admin: str, wrong: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    before = serving.client(admin).get(PATH).json()
    with caplog.at_level(logging.DEBUG):
        answer = serving.client(admin).post(PATH, content=json.dumps(wrong))
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    if (named := str(wrong.get("id", ""))) and len(named) > 5 and named != "Unknown":
        assert named not in answer.text
        assert named not in caplog.text
    assert serving.client(admin).get(PATH).json() == before


def test_only_an_admin_who_sees_all_accounts_may(serving: Api, admin: str) -> None:
    # No answer of the admin is kept for others who see all accounts.
    assert serving.client(admin).get(PATH).headers["cache-control"] == "no-store"
    keys = [
        serving.key(),
        serving.key(role=Role.WRITE),
        serving.key("instagram:1", role=Role.ADMIN),
    ]
    for key in keys:
        client = serving.client(key)
        assert client.post(PATH, json={"id": "nobody-1"}).status_code == 403
        assert client.get(PATH).status_code == 403
        assert client.get(f"{PATH}/abc").status_code == 403
    assert serving.client().post(PATH, json={"id": "own-token-1"}).status_code == 202


def test_an_unknown_request_is_not_found(serving: Api, admin: str) -> None:
    answer = serving.client(admin).get(f"{PATH}/000000000000")
    assert (answer.status_code, answer.json()["parameter"]) == (404, "request_id")
