"""Report schedules over HTTP: made, read, changed and deleted, each by who may."""

from __future__ import annotations

import sqlite3

import pytest

from social_assets.control.api_keys import Role
from social_assets.control.location import ControlLocation
from tests.integration.serving.conftest import Api

PATH = "/api/v1/reports/schedule"
PLAN = {
    "report": "weekly_overview",
    "cron": "0 7 * * 1",
    "recipients": ["ann@example.org"],
    "time_zone": "Europe/Berlin",
}


def test_a_schedule_is_made_read_changed_and_deleted(serving: Api) -> None:
    client = serving.client(serving.key(role=Role.WRITE))
    made = client.post(PATH, json={**PLAN, "name": "tuesday"})
    assert made.status_code == 201, made.text
    one = f"{PATH}/{made.json()['id']}"
    assert client.get(one).json() == made.json()
    assert made.json() in client.get(PATH).json()["schedules"]
    changed = client.put(one, json={**PLAN, "name": "tuesday", "version": 1, "enabled": False})
    assert (changed.json()["version"], changed.json()["enabled"]) == (2, False)
    late = client.put(one, json={**PLAN, "name": "tuesday", "version": 1})
    assert (late.status_code, late.json()["parameter"]) == (409, "version")
    assert client.delete(one).status_code == 204
    assert client.get(one).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"cron": "every monday"},
        {"time_zone": "Mars/Olympus"},
        {"recipients": []},
        {"recipients": ["https://hooks.example/secret"]},
        {"name": "'; DROP TABLE report_schedules --"},
        {"accounts": ["myspace:tom"]},
        {"format": "exe"},
        {"surprise": 1},
    ],
)
def test_a_plan_that_cannot_work_is_refused(serving: Api, wrong: dict[str, object]) -> None:
    answer = serving.client().post(PATH, json={**PLAN, "name": "x", **wrong})
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_name_is_taken_once(serving: Api) -> None:
    client = serving.client()
    assert client.post(PATH, json={**PLAN, "name": "taken"}).status_code == 201
    assert client.post(PATH, json={**PLAN, "name": "taken"}).status_code == 409


def test_a_key_that_reads_changes_nothing(serving: Api) -> None:
    client = serving.client(serving.key())
    assert client.post(PATH, json={**PLAN, "name": "y"}).status_code == 403
    assert client.delete(f"{PATH}/x").status_code == 403


def test_a_key_sees_and_makes_schedules_of_its_accounts_only(serving: Api) -> None:
    other = (
        serving.client()
        .post(PATH, json={**PLAN, "name": "other", "accounts": ["instagram:2"]})
        .json()
    )
    client = serving.client(serving.key("instagram:1", role=Role.WRITE))
    assert client.get(PATH).json()["schedules"] == []
    assert client.get(f"{PATH}/{other['id']}").status_code == 404
    assert client.delete(f"{PATH}/{other['id']}").status_code == 404
    for accounts in (None, ["instagram:2"], ["instagram:1", "instagram:999"]):
        answer = client.post(PATH, json={**PLAN, "name": "z", "accounts": accounts})
        assert answer.status_code == 403
    own = client.post(PATH, json={**PLAN, "name": "own", "accounts": ["instagram:1"]})
    assert own.status_code == 201
    assert len(client.get(PATH).json()["schedules"]) == 1


def test_a_store_that_another_process_has_locked_is_tried_again_later(serving: Api) -> None:
    key = serving.key(role=Role.WRITE)
    file = ControlLocation(serving.home).file
    holder = sqlite3.connect(file, isolation_level=None)
    try:
        holder.execute("BEGIN IMMEDIATE")
        answer = serving.client().post(PATH, json={**PLAN, "name": "locked"})
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert str(file) not in answer.text
        # A key is read, and a lock of writers does not prevent that.
        assert serving.client(key).get("/api/v1/metrics").status_code == 200
    finally:
        holder.close()
    assert serving.client().post(PATH, json={**PLAN, "name": "locked"}).status_code == 201


def test_a_page_of_another_site_cannot_make_a_schedule_with_the_cookie(serving: Api) -> None:
    from starlette.testclient import TestClient

    from tests.integration.serving.conftest import BASE

    browser = TestClient(serving.app, BASE)
    browser.get(f"/?token={serving.token}", headers={"Sec-Fetch-Dest": "document"})
    form = browser.post(PATH, data={"name": "csrf"})
    assert form.status_code == 415
    foreign = browser.post(PATH, json=PLAN, headers={"Origin": "http://evil.example"})
    assert foreign.status_code == 403


def test_figures_and_documentation_are_served_by_this_server_alone(serving: Api) -> None:
    text = serving.client().get("/metrics").text
    assert "social_assets_http_requests_total{" in text
    assert serving.client(serving.key("instagram:1")).get("/metrics").status_code == 403
    page = serving.client().get("/docs")
    assert "where.platform" in page.text and "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
