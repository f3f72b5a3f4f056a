"""Tokens rotate and expire, limits are enforced and counted, faults come at the chosen rate."""

from __future__ import annotations

from collections import Counter
from typing import Any

import httpx
import pytest

from tests.unit.demo.platforms.calling import Caller


def refreshed(caller: Caller, platform: str, refresh: str) -> httpx.Response:
    """Use a refresh token as the platform wants it."""
    client = caller.tokens(platform)["clients"][0]
    form = {"grant_type": "refresh_token", "refresh_token": refresh}
    name, secret = client["client_id"], client["client_secret"]
    if platform == "x":
        url = f"{caller.url}/x/2/oauth2/token"
        return caller.client.post(url, data=form, auth=(name, secret))
    if platform == "tiktok":
        form |= {"client_key": name, "client_secret": secret}
        return caller.client.post(f"{caller.url}/tiktok/v2/oauth/token/", data=form)
    form |= {"client_id": name, "client_secret": secret}
    return caller.client.post(f"{caller.url}/youtube/token", data=form)


@pytest.mark.parametrize("platform", ["x", "tiktok"])
def test_a_refresh_token_used_after_its_rotation_revokes_the_account(
    caller: Caller, platform: str
) -> None:
    account = caller.account(platform, 2)
    old = caller.tokens(platform)["accounts"][account]["refresh_token"]
    first = refreshed(caller, platform, old).json()
    assert first["refresh_token"] != old
    assert refreshed(caller, platform, old).status_code == 400
    path = "2/users/me" if platform == "x" else "v2/user/info/"
    answer = caller.call(platform, path, token=first["access_token"], fields="open_id")
    assert answer.status_code == 401
    assert refreshed(caller, platform, first["refresh_token"]).status_code == 400
    violations = caller.control("GET", "ledger")["violations"]
    assert [each["credential"] for each in violations] == [account]


def test_google_gives_no_new_refresh_token_and_says_invalid_grant_when_revoked(
    caller: Caller,
) -> None:
    account = caller.account("youtube", 2)
    refresh = caller.tokens("youtube")["accounts"][account]["refresh_token"]
    body = refreshed(caller, "youtube", refresh).json()
    assert set(body) == {"access_token", "expires_in", "scope", "token_type"}
    assert refreshed(caller, "youtube", refresh).status_code == 200
    caller.control("POST", "tokens", platform="youtube", account=account, action="revoke")
    answer = refreshed(caller, "youtube", refresh)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_a_long_lived_instagram_token_is_renewed_after_a_day(caller: Caller) -> None:
    account = caller.account("instagram", 3)
    token = caller.tokens("instagram")["accounts"][account]["access_token"]

    def renewed(old: str) -> httpx.Response:
        query = {"grant_type": "ig_refresh_token", "access_token": old}
        return caller.client.get(f"{caller.url}/instagram/refresh_access_token", params=query)

    new = renewed(token).json()
    assert set(new) == {"access_token", "token_type", "expires_in"}
    assert renewed(new["access_token"]).status_code == 400
    caller.control("POST", "clock", advance_seconds=90_000)
    assert renewed(new["access_token"]).status_code == 200


def test_an_expired_token_is_refused_in_each_platforms_words(caller: Caller) -> None:
    calls = {
        "instagram": (caller.account("instagram", 4), 400),
        "facebook": (caller.account("facebook", 4), 400),
        "x": ("2/users/me", 401),
        "tiktok": ("v2/user/info/", 401),
        "youtube": ("v3/channels", 401),
    }
    for platform, (path, status) in calls.items():
        account = caller.account(platform, 4)
        expired = caller.control(
            "POST", "tokens", platform=platform, account=account, action="expire"
        )
        token = expired["access_token"]
        answer = caller.call(platform, path, token=token, fields="id", part="id")
        assert answer.status_code == status, (platform, answer.text)
    assert caller.call("instagram", "me", token="unknown").json()["error"]["code"] == 190


def test_one_bad_metric_fails_the_whole_request(caller: Caller) -> None:
    account = caller.account("instagram")
    media = caller.good("instagram", f"{account}/media")["data"][0]["id"]
    answer = caller.call("instagram", f"{media}/insights", metric="reach,impressions")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 100)
    page = caller.account("facebook")
    answer = caller.call(
        "facebook", f"{page}/insights", metric="page_media_view,page_impressions_unique"
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 100)


def limited(caller: Caller, name: str, calls: int, seconds: int | None = None) -> None:
    caller.control("POST", "limits", **{name: {"calls": calls, "seconds": seconds}})


def test_x_counts_windows_of_fifteen_minutes_and_says_when_they_end(caller: Caller) -> None:
    limited(caller, "x.users.user", 2)
    path = f"2/users/{caller.account('x')}"
    left = [caller.call("x", path).headers["x-rate-limit-remaining"] for _ in range(2)]
    assert left == ["1", "0"]
    answer = caller.call("x", path)
    assert (answer.status_code, answer.json()["title"]) == (429, "Too Many Requests")
    reset = int(answer.headers["x-rate-limit-reset"])
    caller.control("POST", "clock", now=str(reset))
    assert caller.call("x", path).status_code == 200
    limited(caller, "x.users.user", 900)


def test_the_usage_cap_of_x_is_another_429(caller: Caller) -> None:
    limited(caller, "x.posts_a_month", 3)
    answer = caller.call("x", f"2/users/{caller.account('x')}/tweets", max_results=5)
    assert (answer.status_code, answer.json()["type"]) == (
        429,
        "https://api.x.com/2/problems/usage-capped",
    )
    limited(caller, "x.posts_a_month", 2_000_000)


def test_x_charges_for_a_resource_once_a_day(caller: Caller) -> None:
    for _ in range(2):
        caller.good("x", f"2/users/{caller.account('x')}/tweets", max_results=5)
    assert caller.control("GET", "ledger")["x_dollars"] == 0.025


def test_meta_says_in_percent_what_is_used_and_throttles_without_a_429(caller: Caller) -> None:
    account = caller.account("instagram")
    limited(caller, "instagram.account", 4)
    for _ in range(4):
        answer = caller.call("instagram", account)
    assert '"call_count": 100' in answer.headers["x-business-use-case-usage"]
    answer = caller.call("instagram", account)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 80002)
    assert '"estimated_time_to_regain_access": 1441' in answer.headers["x-business-use-case-usage"]
    caller.control("POST", "clock", advance_seconds=86_401)
    assert caller.call("instagram", account).status_code == 200
    limited(caller, "instagram.account", 4_800)


def test_a_facebook_users_calls_count_for_the_user_and_the_app(caller: Caller) -> None:
    token = caller.tokens("facebook")["app_tokens"][0]
    page = caller.account("facebook", 2)
    limited(caller, "facebook.user", 1)
    assert caller.call("facebook", page, token=token).status_code == 200
    answer = caller.call("facebook", page, token=token)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 17)
    limited(caller, "facebook.app", 2)
    answer = caller.call("facebook", page, token=token)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, 4)
    assert '"call_count": 100' in answer.headers["x-app-usage"]
    limited(caller, "facebook.user", 200)
    limited(caller, "facebook.app", 20_000)


def test_tiktok_throttles_by_endpoint_and_says_nothing_about_when(caller: Caller) -> None:
    limited(caller, "tiktok.user_info", 1)
    assert caller.call("tiktok", "v2/user/info/", fields="open_id").status_code == 200
    answer = caller.call("tiktok", "v2/user/info/", fields="open_id")
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert not [name for name in answer.headers if "rate" in name or "retry" in name]
    assert caller.call("tiktok", "v2/video/list/", json={}, fields="id").status_code == 200
    limited(caller, "tiktok.user_info", 600)


def test_youtube_counts_units_of_a_project_until_midnight_pacific(caller: Caller) -> None:
    limited(caller, "youtube.units", 101)
    channel = caller.account("youtube")
    assert caller.call("youtube", "v3/search", part="id", channelId=channel).status_code == 200
    query = {"part": "id", "id": channel}
    assert caller.call("youtube", "v3/channels", **query).status_code == 200
    answer = caller.call("youtube", "v3/channels", **query)
    assert answer.status_code == 403
    assert answer.json()["error"]["errors"][0]["reason"] == "quotaExceeded"
    other = caller.tokens("youtube")["accounts"][caller.account("youtube", 3)]["access_token"]
    assert caller.call("youtube", "v3/channels", token=other, **query).status_code == 403
    key = caller.tokens("youtube")["app_tokens"][1]  # of another project
    assert caller.client.get(
        f"{caller.url}/youtube/v3/channels", params=query | {"key": key}
    ).is_success
    caller.control("POST", "clock", now="2026-11-21T08:00:01Z")
    token = caller.tokens("youtube")["app_tokens"][0]
    assert caller.call("youtube", "v3/channels", token=token, **query).status_code == 200
    limited(caller, "youtube.units", 10_000)


def test_the_same_seed_meets_the_same_faults(caller: Caller) -> None:
    def met(name: str) -> Counter[str]:
        found: Counter[str] = Counter()
        for number in range(60):
            query: dict[str, Any] = {"user.fields": "public_metrics", "n": f"{name}{number}"}
            try:
                answer = caller.call("x", f"2/users/{caller.account('x')}", **query)
                found[str(answer.status_code)] += 1
                answer.json()
            except httpx.RemoteProtocolError:
                found["cut"] += 1
            except ValueError:
                found["invalid"] += 1
        return found

    kinds = {"error_503": 1, "cut": 1, "invalid_json": 1, "throttled": 1}
    caller.control("POST", "faults", rate=0.5, kinds=kinds)
    found = met("a")
    assert min(found["503"], found["cut"], found["invalid"], found["429"]) > 0
    assert 10 < found["503"] + found["cut"] + found["invalid"] + found["429"] < 50


def test_a_private_account_of_x_shows_no_posts_to_others(caller: Caller) -> None:
    account = caller.account("x", 3)
    caller.control("POST", "mutate", platform="x", action="account", account=account, is_private=1)
    body = caller.good("x", f"2/users/{account}/tweets")
    assert "data" not in body
    assert body["errors"][0]["type"].endswith("/not-authorized-for-resource")


def test_the_ledger_and_no_other_control_answer_hold_a_token(caller: Caller) -> None:
    tokens = caller.tokens("x")["accounts"].values()
    caller.good("x", "2/users/me")
    for path in ("ledger", "limits", "faults", "clock", "webhooks"):
        text = str(caller.control("GET", path))
        assert not any(each["access_token"] in text for each in tokens)
