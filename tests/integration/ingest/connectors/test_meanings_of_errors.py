"""Each platform's errors mean what the platform means by them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from social_assets.control.accounts import Account
from social_assets.ingest.connectors.chain import ChainStart
from social_assets.ingest.connectors.errors import (
    AccountGoneError,
    AccountPrivateError,
    CollectionError,
    NoCredentialError,
    PlatformDownError,
    QuotaExhaustedError,
    RequestRefusedError,
    ThrottledError,
)
from tests.integration.ingest.connectors.collecting import Collecting, raw
from tests.integration.ingest.connectors.replay_server import Asked, Given, Replayed


def stopped(collecting: Collecting, platform: str, endpoint: str) -> CollectionError:
    collecting.add(platform, "17")
    with pytest.raises(CollectionError) as stopping:
        collecting.chain(platform, "17", endpoint)
    return stopping.value


def test_meta_throttles_without_429_and_says_when_it_ends_in_minutes(
    collecting: Collecting, server: Replayed
) -> None:
    usage = (
        '{"17": [{"type": "instagram", "call_count": 100, "estimated_time_to_regain_access": 19}]}'
    )
    server.give(
        Given({"error": {"code": 80002, "message": "x"}}, 400, {"x-business-use-case-usage": usage})
    )
    error = stopped(collecting, "Instagram", "media")
    assert isinstance(error, ThrottledError)
    assert error.until == datetime(2026, 11, 20, 16, 19, tzinfo=UTC)
    assert "Instagram:17, media: the limit is reached" in str(error)
    # It is not asked again before that.
    with pytest.raises(ThrottledError):
        collecting.chain("Instagram", "17", "user")
    assert len(server.asked) == 1


@pytest.mark.parametrize(("code", "status"), [(4, 403), (17, 400), (32, 403), (613, 400)])
def test_meta_throttles_by_codes(
    code: int, status: int, collecting: Collecting, server: Replayed
) -> None:
    server.give(Given({"error": {"code": code, "message": f"(#{code}) limit reached"}}, status))
    assert isinstance(stopped(collecting, "Facebook", "posts"), ThrottledError)


def test_throttling_without_a_time_lasts_longer_each_time(
    collecting: Collecting, server: Replayed
) -> None:
    collecting.add("Facebook", "17")
    server.answer = lambda asked: Given({"error": {"code": 17, "message": "m"}}, 400)
    waits = []
    for _ in range(4):
        with pytest.raises(ThrottledError) as stopping:
            collecting.chain("Facebook", "17", "page")
        waits.append((stopping.value.until - collecting.clock()).total_seconds())
        collecting.clock.now = stopping.value.until
    assert waits == [300, 600, 1200, 2400]


def test_x_throttles_until_its_reset(collecting: Collecting, server: Replayed) -> None:
    reset = int(datetime(2026, 11, 20, 16, 7, tzinfo=UTC).timestamp())
    headers = {
        "x-rate-limit-limit": "900",
        "x-rate-limit-remaining": "0",
        "x-rate-limit-reset": str(reset),
    }
    server.give(Given({"title": "Too Many Requests"}, 429, headers))
    error = stopped(collecting, "X", "posts")
    assert isinstance(error, ThrottledError)
    assert error.until == datetime(2026, 11, 20, 16, 7, 1, tzinfo=UTC)


def test_a_usage_cap_of_x_is_no_throttling_and_is_not_waited_for(
    collecting: Collecting, server: Replayed
) -> None:
    body = {"type": "https://api.x.com/2/problems/usage-capped", "detail": "Monthly product cap"}
    server.give(Given(body, 429))
    error = stopped(collecting, "X", "posts")
    assert isinstance(error, QuotaExhaustedError)
    assert error.until is None
    assert "waiting does not help" in str(error)
    with pytest.raises(QuotaExhaustedError):
        collecting.chain("X", "17", "user")
    assert len(server.asked) == 1


def test_the_quota_of_youtube_ends_at_midnight_in_california(
    collecting: Collecting, server: Replayed
) -> None:
    quota = {"error": {"code": 403, "errors": [{"reason": "quotaExceeded"}], "message": "quota"}}
    server.give(Given(quota, 403))
    collecting.add("YouTube", "18", client_id="a")
    error = stopped(collecting, "YouTube", "channels")
    assert isinstance(error, QuotaExhaustedError)
    assert error.until == datetime(2026, 11, 21, 8, 1, tzinfo=UTC)
    assert len(server.asked) == 1


def test_tiktok_throttles_without_a_header_for_its_minute(
    collecting: Collecting, server: Replayed
) -> None:
    server.give(Given({"error": {"code": "rate_limit_exceeded", "message": "m"}}, 429))
    error = stopped(collecting, "TikTok", "video_list")
    assert isinstance(error, ThrottledError)
    assert error.until == datetime(2026, 11, 20, 16, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("platform", "endpoint", "given", "expected"),
    [
        (
            "X",
            "user",
            Given({"errors": [{"type": "https://api.x.com/2/problems/resource-not-found"}]}),
            AccountGoneError,
        ),
        (
            "X",
            "posts",
            Given(
                {"errors": [{"type": "https://api.x.com/2/problems/not-authorized-for-resource"}]}
            ),
            AccountPrivateError,
        ),
        ("X", "user", Given({"errors": [{"detail": "User has been suspended"}]}), AccountGoneError),
        ("YouTube", "channels", Given({"pageInfo": {"totalResults": 0}}), AccountGoneError),
        (
            "TikTok",
            "user_info",
            Given({"error": {"code": "scope_not_authorized", "message": "m"}}, 401),
            AccountPrivateError,
        ),
        (
            "Facebook",
            "page",
            Given({"error": {"code": 100, "error_subcode": 33, "message": "m"}}, 400),
            AccountGoneError,
        ),
        (
            "TikTok",
            "user_info",
            Given({"error": {"code": "invalid_params", "message": "fields"}}),
            RequestRefusedError,
        ),
        (
            "X",
            "user",
            Given({"title": "Invalid Request"}, 400),
            RequestRefusedError,
        ),
    ],
)
def test_an_account_that_cannot_be_read_is_told_apart(
    platform: str,
    endpoint: str,
    given: Given,
    expected: type[Exception],
    collecting: Collecting,
) -> None:
    collecting.server.give(given)
    error = stopped(collecting, platform, endpoint)
    assert type(error) is expected
    assert f"{platform}:17, {endpoint}" in str(error)
    assert len(collecting.server.asked) == 1


@pytest.mark.parametrize(
    ("platform", "endpoint", "given", "told"),
    [
        (
            "YouTube",
            "comments",
            Given({"error": {"errors": [{"reason": "commentsDisabled"}], "message": "off"}}, 403),
            "nothing from 5: off",
        ),
        (
            "Instagram",
            "media_insights",
            Given({"error": {"code": 100, "error_subcode": 2108006, "message": "before"}}, 400),
            "nothing from 5: before",
        ),
        (
            "Instagram",
            "media_insights",
            Given({"error": {"code": 10, "message": "(#10) Not enough viewers"}}, 400),
            "nothing from 5: (#10) Not enough viewers",
        ),
    ],
)
def test_a_post_that_has_none_is_skipped_and_told(
    platform: str, endpoint: str, given: Given, told: str, collecting: Collecting
) -> None:
    collecting.add(platform, "17")
    collecting.server.give(given)
    pages, end = collecting.chain(platform, "17", endpoint, parent_id="5")
    assert (pages, end.is_complete, end.notes, end.gone) == ([], True, (told,), ())


def test_a_post_that_is_deleted_is_gone_and_its_account_is_not(
    collecting: Collecting, server: Replayed
) -> None:
    collecting.add("Facebook", "17")
    server.give(Given({"error": {"code": 100, "error_subcode": 33, "message": "no object"}}, 400))
    _, end = collecting.chain("Facebook", "17", "comments", parent_id="5")
    assert (end.is_complete, end.gone) == (True, ("5",))


def test_data_and_errors_in_one_answer_are_both_taken(
    collecting: Collecting, server: Replayed
) -> None:
    collecting.add("X", "17")
    errors = [{"detail": "Could not find tweet with ids: [999].", "resource_id": "999"}]
    server.give({"data": [{"id": "303"}], "errors": errors})
    pages, end = collecting.chain("X", "17", "posts_by_id", ids=("303", "999"))
    assert (raw(pages), end.gone) == ([b'{"id": "303"}'], ("999",))
    assert end.notes == (
        "Could not find tweet with ids: [999].",
        "1 posts are deleted or hidden",
    )


@pytest.mark.parametrize("names", [True, False])
def test_one_bad_metric_is_left_out_and_told(
    names: bool, collecting: Collecting, server: Replayed
) -> None:
    collecting.add("Instagram", "17")

    def answer(asked: Asked) -> Given:
        metrics = asked.query["metric"].split(",")
        if "views" in metrics:
            told = "metric[1] must be" if names else "must be a valid insights metric"
            return Given({"error": {"code": 100, "message": f"(#100) {told}"}}, 400)
        return Given({"data": [{"name": metric} for metric in metrics]})

    server.answer = answer
    pages, end = collecting.chain("Instagram", "17", "media_insights", parent_id="5")
    assert b"views" not in raw(pages)[0]
    assert raw(pages)[0].count(b"name") == 6
    assert len(server.asked) == (2 if names else 8)
    assert "left out views" in end.notes[0]


def test_a_metric_that_is_refused_for_every_post_is_left_out_from_the_beginning(
    collecting: Collecting, server: Replayed
) -> None:
    collecting.add("Instagram", "17")
    refused = {"views"}

    def answer(asked: Asked) -> Given:
        if refused & set(asked.query["metric"].split(",")):
            return Given({"error": {"code": 100, "message": "a valid insights metric"}}, 400)
        return Given({"data": []})

    server.answer = answer
    calls = []
    for _ in range(54):
        before = len(server.asked)
        _, end = collecting.chain("Instagram", "17", "media_insights", parent_id="5")
        calls.append(len(server.asked) - before)
        assert "left out views" in end.notes[0]
    # It is asked for again now and then.
    assert calls[:5] == [8, 8, 8, 1, 1]
    assert calls.count(8) == 4
    refused.clear()
    for _ in range(50):
        _, end = collecting.chain("Instagram", "17", "media_insights", parent_id="5")
        collecting.clock.sleep(60)
    assert end.notes == ()


def test_a_page_that_is_too_large_for_the_platform_is_asked_for_in_smaller_ones(
    collecting: Collecting, server: Replayed
) -> None:
    collecting.add("Facebook", "17")

    def answer(asked: Asked) -> Given:
        if int(asked.query["limit"]) > 15:
            told = "Please reduce the amount of data you're asking for, then retry your request"
            return Given({"error": {"code": 1, "message": told}}, 500)
        return Given({"data": [{"id": "1"}]})

    server.answer = answer
    pages, end = collecting.chain("Facebook", "17", "posts")
    assert [asked.query["limit"] for asked in server.asked] == ["50", "25", "12"]
    assert raw(pages) == [b'{"id": "1"}']
    assert end.notes == ("pages were too large for the platform: fewer records were asked for",)


FAULTS = [
    Given({"error": {"code": 2, "is_transient": True, "message": "m"}}, 500),
    Given(b"<html>bad gateway</html>", 502),
    Given({"title": "x"}, 503),
    Given(b'{"data": [{"id": "1"', 200),
    Given(b'{"data": {"id": "1"}, "padding": "' + b"x" * 4000 + b'"}', 200, is_cut=True),
    Given(b"[]"),
    Given(b'{"data": "wrong"}'),
    Given(b"[" * 100_000),
    Given(b'{"data": NaN}'),
]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_passes_is_asked_again(
    fault: Given, collecting: Collecting, server: Replayed
) -> None:
    collecting.add("Instagram", "17")
    server.give(fault, fault, {"data": [{"id": "1"}]})
    pages, _ = collecting.chain("Instagram", "17", "media")
    assert raw(pages) == [b'{"id": "1"}']
    assert all(0 <= wait <= 20 for wait in collecting.clock.slept)


def test_a_fault_that_stays_is_told_after_some_attempts(
    collecting: Collecting, server: Replayed
) -> None:
    server.answer = lambda asked: Given(b"oops", 500)
    error = stopped(collecting, "X", "user")
    assert isinstance(error, PlatformDownError)
    assert len(server.asked) == 5


def test_a_platform_that_fails_for_all_accounts_is_left_alone_for_a_minute(
    collecting: Collecting, server: Replayed
) -> None:
    collecting.add("YouTube", "17")
    server.answer = lambda asked: Given(b"oops", 500)
    for _ in range(5):
        with pytest.raises(PlatformDownError, match="status 500, 5 times"):
            collecting.chain("YouTube", "18", "channels")
    with pytest.raises(PlatformDownError, match="not asked, since 5 calls in succession"):
        collecting.chain("YouTube", "19", "channels")
    assert len(server.asked) == 25
    collecting.clock.sleep(61)
    server.answer = lambda asked: Given({"items": [{"id": "20"}]})
    assert raw(collecting.chain("YouTube", "20", "channels")[0]) == [b'{"id": "20"}']


def test_a_redirect_is_followed_only_on_the_same_host(
    collecting: Collecting, server: Replayed
) -> None:
    collecting.add("X", "17")
    server.give(Given({}, 302, {"location": "/2/elsewhere"}), {"data": {"id": "17"}})
    pages, _ = collecting.chain("X", "17", "user")
    assert raw(pages) == [b'{"id": "17"}']
    server.give(Given({}, 302, {"location": "http://localhost:1/2/elsewhere"}))
    with pytest.raises(RequestRefusedError, match="redirects to another host, localhost"):
        collecting.chain("X", "17", "user")


def test_without_a_credential_the_error_names_the_command(collecting: Collecting) -> None:
    collecting.add("Instagram", "18")
    with pytest.raises(NoCredentialError, match="social-assets credentials add instagram"):
        collecting.chain("Instagram", "17", "media")


@pytest.mark.parametrize("id_", ["../../me", "a/b", "17){x}", "a b", "a?b=c"])
def test_an_id_that_is_none_is_not_asked_for(
    id_: str, collecting: Collecting, server: Replayed
) -> None:
    collecting.add("X", "17")
    start = ChainStart(Account("X", id_), "posts")
    with pytest.raises(RequestRefusedError, match="cannot be the id"):
        list(collecting.client("X").pages(start))
    assert not server.asked
