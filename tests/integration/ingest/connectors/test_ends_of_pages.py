"""Each platform says in its own way that there is no other page; records keep their bytes."""

from __future__ import annotations

import json

from tests.integration.ingest.connectors.collecting import Collecting, raw
from tests.integration.ingest.connectors.replay_server import Given, Replayed


def test_instagram_ends_where_next_is_missing_though_a_cursor_is_there(
    collecting: Collecting, server: Replayed
) -> None:
    collecting.add("Instagram", "1784")
    first = (
        b'{ "data": [ {"id": "503", "timestamp":"2026-11-20T12:00:00+0000", "n": 1.50} ,\n'
        b' {"id":"502","timestamp":"2026-11-18T12:00:00+0000","caption":"a \\"}],[{\\" \xc3\xa9"}],'
        b'"paging":{"cursors":{"after":"QVF1"},"next":"https://graph.facebook.com/v23.0/1784/media'
        b'?access_token=SECRET&after=QVF1"}}'
    )
    last = {
        "data": [{"id": "501", "timestamp": "2026-11-10T12:00:00+0000"}],
        "paging": {"cursors": {"before": "x", "after": "QVF2"}, "previous": "https://x"},
    }
    server.give(Given(first), Given(last))
    pages, end = collecting.chain("Instagram", "1784", "media")
    assert [page.records for page in pages] == [
        (
            b'{"id": "503", "timestamp":"2026-11-20T12:00:00+0000", "n": 1.50}',
            b'{"id":"502","timestamp":"2026-11-18T12:00:00+0000",'
            b'"caption":"a \\"}],[{\\" \xc3\xa9"}',
        ),
        (b'{"id": "501", "timestamp": "2026-11-10T12:00:00+0000"}',),
    ]
    assert [page.number for page in pages] == [1, 2]
    assert (end.is_complete, end.resume, end.notes) == (True, None, ())
    assert server.asked[1].query["after"] == "QVF1"
    assert "access_token" not in server.asked[1].query
    assert server.asked[0].headers["authorization"] == "Bearer token-of-1784"


def test_instagram_comments_end_where_there_is_no_paging_at_all(
    collecting: Collecting, server: Replayed
) -> None:
    collecting.add("Instagram", "1784")
    server.give({"data": [{"id": "1"}]})
    pages, end = collecting.chain("Instagram", "1784", "comments", parent_id="503")
    assert (raw(pages), end.is_complete) == ([b'{"id": "1"}'], True)
    assert server.asked[0].path == "/v23.0/503/comments"


def test_media_of_business_discovery_end_where_a_page_is_empty(
    collecting: Collecting, server: Replayed
) -> None:
    collecting.add("Instagram", "1784")

    def page(*media: str) -> object:
        inner = {"data": [{"id": each} for each in media], "paging": {"cursors": {"after": "QV"}}}
        return {"business_discovery": {"id": "9", "media": inner}, "id": "1784"}

    server.give(page("801"), page("800"), page())
    pages, end = collecting.chain(
        "Instagram", "9", "business_discovery_media", handle="birchcoffee"
    )
    assert raw(pages) == [b'{"id": "801"}', b'{"id": "800"}']
    assert end.is_complete
    assert (
        "business_discovery.username(birchcoffee){id,username,media{"
        in (server.asked[0].query["fields"])
    )
    assert "media.after(QV){" in server.asked[1].query["fields"]
    assert server.asked[0].path == "/v23.0/1784"


def test_insights_are_one_page_though_they_always_have_next(
    collecting: Collecting, server: Replayed
) -> None:
    collecting.add("Facebook", "1000")
    figure = b'{"name":"page_follows","values":[{"value": 3}, {"value":4}]}'
    server.give(Given(b'{"data":[%s],"paging":{"next":"https://graph.facebook.com/x"}}' % figure))
    pages, end = collecting.chain("Facebook", "1000", "page_insights")
    assert raw(pages) == [b'{"value": 3}', b'{"value":4}']
    assert [page.within for page in pages] == [(b'[{"name": "page_follows"}]',) * 2]
    assert (end.is_complete, len(server.asked)) == (True, 1)
    assert server.asked[0].query["since"] == "1794960000"
    assert server.asked[0].query["until"] == "1795132800"


def test_x_ends_without_next_token_and_may_answer_without_data(
    collecting: Collecting, server: Replayed
) -> None:
    collecting.add("X", "17")
    server.give(
        {"data": [{"id": "303"}], "meta": {"next_token": "714"}},
        {"meta": {"result_count": 0}},
    )
    pages, end = collecting.chain("X", "17", "posts", since="200")
    assert (raw(pages), end.since, end.is_complete) == ([b'{"id": "303"}'], "303", True)
    assert [asked.query.get("pagination_token") for asked in server.asked] == [None, "714"]
    assert [asked.query["since_id"] for asked in server.asked] == ["200", "200"]


def test_tiktok_ends_where_has_more_is_false_though_a_cursor_is_given(
    collecting: Collecting, server: Replayed
) -> None:
    collecting.add("TikTok", "open-1")
    ok = {"code": "ok", "message": "", "log_id": "1"}
    server.give(
        {"data": {"videos": [{"id": "1"}], "cursor": 1795077000000, "has_more": True}, "error": ok},
        {
            "data": {"videos": [{"id": "2"}], "cursor": 1794990600000, "has_more": False},
            "error": ok,
        },
    )
    pages, _ = collecting.chain("TikTok", "open-1", "video_list")
    assert raw(pages) == [b'{"id": "1"}', b'{"id": "2"}']
    assert [asked.json for asked in server.asked] == [
        {"max_count": 20},
        {"max_count": 20, "cursor": 1795077000000},
    ]


def test_youtube_lists_the_uploads_and_asks_for_their_numbers(
    collecting: Collecting, server: Replayed
) -> None:
    collecting.add("YouTube", "UCmade")
    server.give(
        {
            "items": [{"contentDetails": {"videoId": "v3"}}, {"contentDetails": {"videoId": "v2"}}],
            "nextPageToken": "CAUQAA",
        },
        {"items": [{"id": "v3", "statistics": {"viewCount": "812"}}]},
        {"items": [{"contentDetails": {"videoId": "v1"}}]},
        {"items": [{"id": "v1"}]},
    )
    pages, end = collecting.chain("YouTube", "UCmade", "videos")
    assert [json.loads(record)["id"] for record in raw(pages)] == ["v3", "v1"]
    assert server.asked[0].query["playlistId"] == "UUmade"
    assert server.asked[1].query["id"] == "v3,v2"
    assert server.asked[2].query["pageToken"] == "CAUQAA"
    assert (end.gone, end.notes) == (("v2",), ("1 posts are deleted or hidden",))


def test_a_platform_whose_cursors_go_in_a_circle_holds_nothing_up(
    collecting: Collecting, server: Replayed
) -> None:
    collecting.add("X", "17")
    pages = [{"data": [{"id": "3"}], "meta": {"next_token": token}} for token in "abab"]
    server.give(*pages)
    _, end = collecting.chain("X", "17", "posts")
    assert end.notes == ("the cursors of the pages go in a circle: the chain ends here",)


def test_a_record_of_a_wrong_type_is_kept_as_it_came(
    collecting: Collecting, server: Replayed
) -> None:
    collecting.add("X", "17")
    server.give(Given(b'{"data":[null, 17 ,"x",{"id":5},{"id":"7"}],"meta":{}}'))
    pages, end = collecting.chain("X", "17", "posts")
    assert raw(pages) == [b"null", b"17", b'"x"', b'{"id":5}', b'{"id":"7"}']
    assert end.since == "7"


def test_replies_that_a_thread_does_not_hold_are_asked_for(
    collecting: Collecting, server: Replayed
) -> None:
    collecting.add("YouTube", "UCmade")
    held = {"comments": [{"id": "b.1"}]}
    server.give(
        {
            "items": [
                {"id": "a", "snippet": {"totalReplyCount": 0}},
                {"id": "b", "snippet": {"totalReplyCount": 3}, "replies": held},
            ],
            "nextPageToken": "T",
        },
        {"items": [{"id": "b.1"}, {"id": "b.2"}], "nextPageToken": "R"},
        {"items": [{"id": "b.3"}]},
        {"items": [{"id": "c", "snippet": {"totalReplyCount": 1}, "replies": held}]},
    )
    pages, end = collecting.chain("YouTube", "UCmade", "comments", parent_id="v")
    ids = [[json.loads(record)["id"] for record in page.records] for page in pages]
    assert ids == [["a", "b", "b.1"], ["b.1", "b.2"], ["b.3"], ["c", "b.1"]]
    assert pages[1].within == (b'[{"id": "b"}]',) * 2
    assert [page.number for page in pages] == [1, 2, 3, 4]
    assert server.asked[1].query["parentId"] == "b"
    assert server.asked[2].query["pageToken"] == "R"
    # A chain that is stopped between them reads the first page again.
    assert [json.loads(page.next_cursor or "{}").get("cursor", "-") for page in pages] == [
        None,
        None,
        "T",
        "-",
    ]
    assert end.is_complete


def test_a_cursor_that_expires_midway_loses_no_page(
    collecting: Collecting, server: Replayed
) -> None:
    collecting.add("X", "17")
    refusal = Given({"errors": [{"message": "pagination_token is not valid"}]}, 400)
    one = {"data": [{"id": "3"}], "meta": {"next_token": "a"}}
    two = {"data": [{"id": "2"}], "meta": {"next_token": "b"}}
    server.give(one, two, refusal, one, two, {"data": [{"id": "1"}], "meta": {}})
    pages, end = collecting.chain("X", "17", "posts")
    assert raw(pages)[-1] == b'{"id": "1"}'
    assert (end.since, end.is_complete) == ("3", True)
