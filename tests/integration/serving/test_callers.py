"""Who may ask: keys, the installation's token, a browser that has signed in; and nobody else."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from social_assets.serving.callers import KEPT_SECONDS
from tests.integration.serving.conftest import BASE, Api

PATH = "/api/v1/metrics"
PAGE = {"Accept": "text/html", "Sec-Fetch-Dest": "document"}


@pytest.mark.parametrize(
    "given",
    [None, "Bearer", "Bearer ", "Bearer sa_", f"Bearer sa_{'0' * 12}_{'0' * 64}", "Basic dTpw"],
)
def test_nothing_is_answered_without_a_valid_key(serving: Api, given: str | None) -> None:
    headers = {} if given is None else {"Authorization": given}
    answer = TestClient(serving.app, BASE).get(PATH, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "social-assets keys create" in answer.json()["remedy"]


def test_a_key_that_is_revoked_ends_within_a_second(serving: Api) -> None:
    text = serving.key()
    client = serving.client(text)
    assert client.get(PATH).status_code == 200
    serving.keys.revoke(text.split("_")[1])
    import time

    end = time.monotonic() + KEPT_SECONDS + 1
    while client.get(PATH).status_code == 200:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert client.get(PATH).status_code == 401


def test_a_browser_signs_in_by_the_address_once_and_has_a_cookie_that_scripts_cannot_read(
    serving: Api,
) -> None:
    browser = TestClient(serving.app, BASE)
    assert browser.get("/", headers=PAGE).status_code == 401
    answer = browser.get(f"/?token={serving.token}", headers=PAGE)
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and serving.token not in cookie
    assert serving.token not in answer.text
    assert browser.get(PATH).status_code == 200


def test_a_name_that_was_rebound_to_this_machine_is_refused(serving: Api) -> None:
    answer = serving.client().get(PATH, headers={"Host": "evil.example"})
    assert answer.status_code == 403
    assert "SOCIAL_ASSETS_UI_HOSTS" in answer.json()["remedy"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:3000"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_site_is_refused_and_no_origin_is_allowed(
    serving: Api, headers: dict[str, str]
) -> None:
    answer = serving.client().get(PATH, headers={**headers, "Sec-Fetch-Dest": "empty"})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_a_key_that_asks_too_often_is_told_how_long_to_wait(serving: Api) -> None:
    client = serving.client(serving.key(per_minute=3))
    codes = [client.get(PATH).status_code for _ in range(4)]
    assert codes == [200, 200, 200, 429]
    refused = client.get(PATH)
    assert 1 <= int(refused.headers["retry-after"]) <= 20
    assert serving.client(serving.key(per_minute=3)).get(PATH).status_code == 200


def test_a_request_keeps_the_id_that_its_sender_gave(serving: Api) -> None:
    client = serving.client()
    given = client.get(PATH, headers={"X-Request-ID": "abc-123.def"})
    assert given.headers["x-request-id"] == "abc-123.def"
    forged = client.get(PATH, headers={"X-Request-ID": "' OR 1=1 --"})
    assert forged.headers["x-request-id"] != "' OR 1=1 --"


def test_the_shortened_address_of_a_dashboard_leads_to_their_list(serving: Api) -> None:
    answer = serving.client().get("/dashboards", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (308, "/")
