"""Each platform ends its pages in its own way, and a walk over them gives every record once."""

from __future__ import annotations

from typing import Any

from tests.unit.demo.platforms.calling import Caller


def shown(caller: Caller, platform: str) -> list[str]:
    """Return the ids of the posts that account 1 shows, newest first."""
    posts = caller.truth(platform, caller.account(platform))["posts"]
    return [post["post_id"] for post in reversed(posts) if post["deleted_at"] is None]


def test_meta_ends_with_a_page_that_has_cursors_and_no_next(caller: Caller) -> None:
    for platform, edge in (("instagram", "media"), ("facebook", "posts")):
        body = caller.good(platform, f"v23.0/{caller.account(platform)}/{edge}", limit=7)
        ids = [each["id"] for each in body["data"]]
        while "next" in body["paging"]:
            token = caller.tokens(platform)["accounts"][caller.account(platform)]["access_token"]
            headers = {"authorization": f"Bearer {token}"}
            body = caller.client.get(body["paging"]["next"], headers=headers).json()
            ids += [each["id"] for each in body["data"]]
        assert "after" in body["paging"]["cursors"]
        assert ids == shown(caller, platform)


def test_business_discovery_never_gives_next_and_ends_with_an_empty_page(caller: Caller) -> None:
    account, other = caller.account("instagram"), caller.account("instagram", 2)
    name = caller.truth("instagram", other)["profile"]["username"]
    ids: list[str] = []
    after = ""
    while True:
        fields = f"business_discovery.username({name}){{media.limit(9){after}{{id}}}}"
        body = caller.good("instagram", account, fields=fields)
        media = body["business_discovery"]["media"]
        if not media["data"]:
            break
        assert "next" not in media["paging"]
        ids += [each["id"] for each in media["data"]]
        after = f".after({media['paging']['cursors']['after']})"
    posts = caller.truth("instagram", other)["posts"]
    assert ids == [p["post_id"] for p in reversed(posts) if p["deleted_at"] is None]


def test_x_ends_without_next_token_and_an_empty_answer_has_no_data(caller: Caller) -> None:
    path = f"2/users/{caller.account('x')}/tweets"
    query: dict[str, Any] = {"max_results": 7}
    ids: list[str] = []
    while True:
        body = caller.good("x", path, **query)
        ids += [each["id"] for each in body["data"]]
        if "next_token" not in body["meta"]:
            break
        query["pagination_token"] = body["meta"]["next_token"]
    assert ids == shown(caller, "x")
    assert caller.good("x", path, since_id=ids[0]) == {"meta": {"result_count": 0}}
    newer = caller.good("x", path, since_id=ids[2])["data"]
    assert [each["id"] for each in newer] == ids[:2]


def test_tiktok_ends_with_has_more_false_though_a_cursor_is_given(caller: Caller) -> None:
    body: dict[str, Any] = {"max_count": 7}
    ids: list[str] = []
    while True:
        answer = caller.call("tiktok", "v2/video/list/", json=body, fields="id,create_time")
        data = answer.json()["data"]
        ids += [each["id"] for each in data["videos"]]
        assert data["cursor"] == data["videos"][-1]["create_time"] * 1000
        if not data["has_more"]:
            break
        body["cursor"] = data["cursor"]
    assert ids == shown(caller, "tiktok")
    assert caller.call("tiktok", "v2/video/list/", json={"max_count": 21}, fields="id").is_error


def uploads(caller: Caller, **query: Any) -> Any:
    """Return a page of the uploads of channel 1."""
    playlist = "UU" + caller.account("youtube")[2:]
    return caller.good(
        "youtube", "v3/playlistItems", part="contentDetails", playlistId=playlist, **query
    )


def test_youtube_ends_without_next_page_token(caller: Caller) -> None:
    body = uploads(caller, maxResults=7)
    ids = [each["contentDetails"]["videoId"] for each in body["items"]]
    while "nextPageToken" in body:
        body = uploads(caller, maxResults=7, pageToken=body["nextPageToken"])
        ids += [each["contentDetails"]["videoId"] for each in body["items"]]
    assert ids == shown(caller, "youtube")


def test_a_video_published_during_paging_shifts_the_pages_of_youtube(caller: Caller) -> None:
    first = uploads(caller, maxResults=3)
    channel = caller.account("youtube")
    caller.control("POST", "mutate", platform="youtube", action="publish", account=channel)
    second = uploads(caller, maxResults=3, pageToken=first["nextPageToken"])
    assert second["items"][0]["id"] == first["items"][-1]["id"]


def test_a_cursor_expires(caller: Caller) -> None:
    path = f"2/users/{caller.account('x')}/tweets"
    token = caller.good("x", path, max_results=5)["meta"]["next_token"]
    after = caller.good("facebook", f"{caller.account('facebook')}/posts", limit=2)["paging"]
    page = uploads(caller, maxResults=3)["nextPageToken"]
    caller.control("POST", "options", cursor_seconds=60)
    caller.control("POST", "clock", advance_seconds=61)
    try:
        for answer in (
            caller.call("x", path, pagination_token=token),
            caller.call(
                "facebook",
                f"{caller.account('facebook')}/posts",
                after=after["cursors"]["after"],
            ),
            caller.call(
                "youtube",
                "v3/playlistItems",
                part="id",
                playlistId="UU" + caller.account("youtube")[2:],
                pageToken=page,
            ),
        ):
            assert answer.status_code == 400, answer.text
    finally:
        caller.control("POST", "options", cursor_seconds=43_200)


def test_a_deleted_id_is_an_error_of_x_and_silently_missing_elsewhere(caller: Caller) -> None:
    post = shown(caller, "x")[0]
    body = caller.good("x", "2/tweets", ids=f"{post},1990000000000000999")
    assert [each["id"] for each in body["data"]] == [post]
    assert body["errors"][0]["type"].endswith("/resource-not-found")
    video = shown(caller, "youtube")[0]
    body = caller.good("youtube", "v3/videos", part="statistics", id=f"{video},vidgone0001")
    assert [each["id"] for each in body["items"]] == [video]
    video = shown(caller, "tiktok")[0]
    answer = caller.call(
        "tiktok", "v2/video/query/", json={"filters": {"video_ids": [video, "9"]}}, fields="id"
    )
    assert [each["id"] for each in answer.json()["data"]["videos"]] == [video]
    unknown = caller.good("youtube", "v3/channels", part="snippet", id="UC" + "x" * 22)
    assert "items" not in unknown


def test_counters_of_the_answers_are_those_of_the_truth(caller: Caller) -> None:
    account = caller.account("x")
    wanted = {
        post["post_id"]: post["counters"]["likes"]
        for post in caller.truth("x", account)["posts"]
        if post["deleted_at"] is None
    }
    query = {"max_results": 100, "tweet.fields": "public_metrics"}
    found = caller.good("x", f"2/users/{account}/tweets", **query)["data"]
    assert {each["id"]: each["public_metrics"]["like_count"] for each in found} == wanted


def test_counters_fall_at_times(caller: Caller) -> None:
    posts = caller.truth("x", caller.account("x"))["posts"]
    post = next(p["post_id"] for p in posts if p["counters"]["views"] > 100 and not p["deleted_at"])
    query = {"ids": post, "tweet.fields": "public_metrics"}

    def views() -> int:
        found = caller.good("x", "2/tweets", **query)["data"][0]["public_metrics"]
        return int(found["impression_count"])

    before = views()
    caller.control("POST", "mutate", platform="x", action="fall", post=post)
    assert 0 < views() < before


def test_a_search_of_x_for_replies_leaves_out_the_post(caller: Caller) -> None:
    post = shown(caller, "x")[0]
    reply = caller.control("POST", "mutate", platform="x", action="comment", post=post)["id"]
    query = f"conversation_id:{post} is:reply"
    found = caller.good("x", "2/tweets/search/recent", query=query, max_results=100)["data"]
    ids = [each["id"] for each in found]
    assert reply in ids
    assert post not in ids
    both = caller.good("x", "2/tweets/search/recent", query=f"conversation_id:{post}")["data"]
    assert post in [each["id"] for each in both]


def test_replies_of_instagram_that_do_not_fit_into_the_comment_have_a_link(caller: Caller) -> None:
    account = caller.account("instagram")
    post = shown(caller, "instagram")[0]
    made = {"platform": "instagram", "action": "comment", "post": post}
    top = caller.control("POST", "mutate", **made)["id"]
    wanted = [caller.control("POST", "mutate", **made, parent=top)["id"] for _ in range(5)]
    fields = "id,replies.limit(2){id,text}"
    comments = caller.good("instagram", f"v23.0/{post}/comments", fields=fields)["data"]
    body = next(each for each in comments if each["id"] == top)["replies"]
    token = caller.tokens("instagram")["accounts"][account]["access_token"]
    ids = [each["id"] for each in body["data"]]
    while "paging" in body:
        headers = {"authorization": f"Bearer {token}"}
        body = caller.client.get(body["paging"]["next"], headers=headers).json()
        assert "text" in body["data"][0]
        ids += [each["id"] for each in body["data"]]
    assert sorted(ids) == sorted(wanted)
