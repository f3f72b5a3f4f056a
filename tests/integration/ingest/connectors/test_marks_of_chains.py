"""A chain reads what is new, and a mark moves only when nothing before it is missing."""

from __future__ import annotations

import pytest

from social_assets.control.accounts import Account
from social_assets.ingest.connectors.chain import ChainStart
from social_assets.ingest.connectors.errors import PlatformDownError
from tests.integration.ingest.connectors.collecting import Collecting, raw
from tests.integration.ingest.connectors.replay_server import Asked, Given, Replayed


def media(*days: int, after: str | None = None) -> object:
    data = [{"id": str(day), "timestamp": f"2026-11-{day:02}T12:00:00+0000"} for day in days]
    paging = {"cursors": {"after": after or "end"}} | ({"next": "https://x/y"} if after else {})
    return {"data": data, "paging": paging}


def test_reading_stops_at_what_is_known_and_a_margin_before_it(
    collecting: Collecting, server: Replayed
) -> None:
    collecting.add("Instagram", "1784")
    server.give(media(20, 19, after="a"), media(6, 5, after="b"), media(4, 3, after="c"))
    since = "2026-11-19T12:00:00+00:00"
    pages, end = collecting.chain("Instagram", "1784", "media", since=since)
    # The margin is 14 days: of the second page one post is within it, of the third none.
    assert len(pages) == 3
    assert (end.since, end.is_complete) == ("2026-11-20T12:00:00+00:00", True)


def test_a_page_that_is_not_newest_first_stops_nothing(
    collecting: Collecting, server: Replayed
) -> None:
    collecting.add("Instagram", "1784")
    server.give(media(1, 2, after="a"), media(20))
    since = "2026-11-19T12:00:00+00:00"
    pages, _ = collecting.chain("Instagram", "1784", "media", since=since)
    assert len(raw(pages)) == 3


def test_a_time_of_the_future_moves_no_mark(collecting: Collecting, server: Replayed) -> None:
    collecting.add("Instagram", "1784")
    server.give(
        {"data": [{"timestamp": "2999-01-01T00:00:00+0000"}, {"timestamp": 12}, {"timestamp": "x"}]}
    )
    _, end = collecting.chain("Instagram", "1784", "media", since="2026-11-19T12:00:00+00:00")
    assert end.since == "2026-11-19T12:00:00+00:00"


def test_a_chain_that_stops_midway_keeps_its_mark_and_goes_on_from_its_cursor(
    collecting: Collecting, server: Replayed
) -> None:
    collecting.add("X", "17")
    failing = [Given({}, 503)] * 5
    server.give({"data": [{"id": "909"}], "meta": {"next_token": "b"}}, *failing)
    pages = []
    chain = collecting.client("X").pages(ChainStart(Account("X", "17"), "posts", since="7"))
    with pytest.raises(PlatformDownError, match=r"X:17, posts: status 503, 5 times") as stopped:
        pages.extend(chain)
    assert len(pages) == 1
    end = stopped.value.end
    assert (end.since, end.is_complete) == ("7", False)
    assert end.resume == pages[0].next_cursor

    server.give({"data": [{"id": "404"}], "meta": {}})
    pages, end = collecting.chain("X", "17", "posts", since=end.since, resume=end.resume)
    assert [(page.number, page.records) for page in pages] == [(2, (b'{"id": "404"}',))]
    assert server.asked[-1].query["pagination_token"] == "b"
    # The newest post was on the first page, which an earlier run has read.
    assert (end.since, end.is_complete) == ("909", True)


@pytest.mark.parametrize(
    ("platform", "endpoint", "refusal"),
    [
        ("Instagram", "media", {"error": {"code": 100, "message": "Invalid cursor"}}),
        (
            "X",
            "posts",
            {"errors": [{"message": "The `pagination_token` query parameter value is not valid"}]},
        ),
        (
            "TikTok",
            "video_list",
            {"error": {"code": "invalid", "message": "old cursor"}},
        ),
        ("YouTube", "comments", {"error": {"errors": [{"reason": "invalidPageToken"}]}}),
    ],
)
def test_a_cursor_that_has_expired_begins_the_chain_again(
    platform: str, endpoint: str, refusal: object, collecting: Collecting, server: Replayed
) -> None:
    collecting.add(platform, "17")
    first = {"data": {"videos": [], "has_more": False}, "items": []}
    if platform in ("Instagram", "X"):
        first = {"data": []}
    server.give(Given(refusal, 400), first)
    resume = '{"cursor": "123", "number": 3, "newest": null}'
    _, end = collecting.chain(platform, "17", endpoint, resume=resume, parent_id="5")
    assert end.is_complete
    assert end.notes == ("the cursor had expired: the chain began again",)


def test_a_mark_that_is_too_old_for_the_platform_is_given_up(
    collecting: Collecting, server: Replayed
) -> None:
    collecting.add("X", "17")
    refusal = {"errors": [{"message": "'since_id' must be a tweet id created after ..."}]}
    server.give(Given(refusal, 400), {"data": [{"id": "9"}], "meta": {}})
    _, end = collecting.chain("X", "17", "comments", parent_id="5", since="7")
    assert "since_id" not in server.asked[-1].query
    assert (end.since, end.is_complete) == ("9", True)


def test_posts_are_asked_for_in_parts_and_deleted_ones_are_told(
    collecting: Collecting, server: Replayed
) -> None:
    collecting.add("TikTok", "o")

    def answer(asked: Asked) -> Given:
        filters = asked.json["filters"]
        assert isinstance(filters, dict)
        videos = [{"id": each} for each in filters["video_ids"] if each != "7"]
        return Given({"data": {"videos": videos}, "error": {"code": "ok"}})

    server.answer = answer
    ids = tuple(str(number) for number in range(45))
    pages, end = collecting.chain("TikTok", "o", "video_query", ids=ids)
    assert [len(page.records) for page in pages] == [19, 20, 5]
    assert end.gone == ("7",)
    cursor = pages[0].next_cursor
    resumed, _ = collecting.chain("TikTok", "o", "video_query", ids=ids, resume=cursor)
    assert [page.number for page in resumed] == [2, 3]
