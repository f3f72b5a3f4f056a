"""Compares what is cleaned with what the platform server held: posts, comments and counters.

Belongs here: which rows must be there, and which values. A row that the server never held is wrong,
and so is one that it showed during a whole collection and that is missing. Each snapshot of
counters is compared with the server at the second in which its page was fetched.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.collection.served_platforms import Held, ServedPlatforms
from resources.clickhouse.resource import ClickHouseResource
from social_assets.contracts.registry import contract
from social_assets.defs.stores import StoresResource
from social_assets.demo.platforms.world.accounts import PLATFORMS
from social_assets.ingest.connectors.registry import connector_of
from social_assets.pipeline.collection.recent_posts import RECENT
from social_assets.quality.day_comparison import compare_days
from social_assets.quality.invariants import invariants_of_stream

STREAMS = ("profiles", "posts_collected", "post_counters", "comments", "audience")
_WITHOUT_COMMENTS = "tiktok"
_DAY = 86_400
_SEARCHED = 7 * _DAY
"""X finds replies of so many seconds."""
_COUNTED = ("likes", "comments", "shares", "views")
_INSIGHTS = {
    "media_insights": ("views", "reach", "saves", "shares"),
    "post_insights": ("views", "reach"),
}
"""What an endpoint tells of a post beside `_COUNTED`, which the other endpoints tell."""


@dataclass(frozen=True)
class Collection:
    """A collection of everything: Unix seconds of the server's clock."""

    began: int
    ended: int


def differences(
    served: ServedPlatforms, collections: Sequence[Collection], interval: timedelta
) -> list[str]:
    """Everything that is cleaned and was not held, or was held and is not cleaned."""
    found: list[str] = []
    for platform in PLATFORMS:
        last = served.truth(platform)
        shown = [_Shown.of(served, platform, each) for each in collections]
        found += _of_posts(platform, last, shown)
        found += _of_snapshots(platform, shown, interval)
        if platform != _WITHOUT_COMMENTS:
            found += _of_comments(platform, last, shown)
    return [*found, *_of_counters(served), *_of_increments(), *_of_invariants()]


def doubled_rows() -> list[str]:
    """The keys of each stream that more than one row has."""
    found = []
    for stream in STREAMS:
        key = ", ".join(contract(stream).key)
        query = f"SELECT {key}, count() FROM cleaned.{stream} GROUP BY {key} HAVING count() > 1"
        found += [f"{stream}: {row}" for row in _rows(query)]
    return found


def row_counts() -> dict[str, int]:
    """How many rows each stream has."""
    return {stream: int(_rows(f"SELECT count() FROM cleaned.{stream}")[0][0]) for stream in STREAMS}


@dataclass(frozen=True)
class _Shown:
    """What a platform showed during the whole of a collection, by id."""

    collection: Collection
    posts: dict[str, dict[str, Any]]
    comments: dict[str, dict[str, Any]]

    @classmethod
    def of(cls, served: ServedPlatforms, platform: str, collection: Collection) -> _Shown:
        first, last = (served.truth(platform, at) for at in (collection.began, collection.ended))
        return cls(collection, *(_shown_twice(first, last, kind) for kind in ("posts", "comments")))

    def has(self, post_id: str) -> bool:
        """Whether a post was asked about: those of a platform's last fourteen days always are."""
        post = self.posts.get(post_id)
        return post is not None and _seconds(post["published_at"]) > (
            self.collection.began - RECENT.total_seconds() + _DAY
        )

    def is_searched(self, comment: dict[str, Any]) -> bool:
        """Whether X's search finds a comment, unless its account is private."""
        return _seconds(comment["published_at"]) > self.collection.ended - _SEARCHED


def _shown_twice(first: Held, last: Held, kind: str) -> dict[str, dict[str, Any]]:
    """What is shown at both times, by id. An account that was deleted shows nothing."""
    id_ = f"{kind.removesuffix('s')}_id"
    before, after = (
        {
            each[id_]: each
            for of in held.values()
            for each in of[kind]
            if not of["is_deleted"] and not each["deleted_at"]
        }
        for held in (first, last)
    )
    return {key: value for key, value in after.items() if key in before}


def _of_posts(platform: str, last: Held, shown: Sequence[_Shown]) -> Iterator[str]:
    name = connector_of(platform).platform
    ever = {
        post["post_id"]: (account, _seconds(post["published_at"]), _text(platform, post))
        for account, of in last.items()
        for post in of["posts"]
    }
    rows = _rows(
        "SELECT post_id, account_id, toUnixTimestamp(published_at), concat(title, content)\n"
        f"FROM cleaned.posts_collected WHERE platform = '{name}'"
    )
    found = {post: (account, int(at), _once(platform, text)) for post, account, at, text in rows}
    if len(found) != len(rows):
        yield f"{name}: {len(rows)} texts of {len(found)} posts, none of which was edited"
    must = {post for each in shown for post in each.posts}
    yield from (f"{name}: post {post} is missing" for post in sorted(must - found.keys()))
    for post, told in found.items():
        if told != ever.get(post):
            yield f"{name}: post {post} is {told}, and the server has {ever.get(post)}"


def _of_comments(platform: str, last: Held, shown: Sequence[_Shown]) -> Iterator[str]:
    name = connector_of(platform).platform
    ever = {each["comment_id"]: _comment(each) for of in last.values() for each in of["comments"]}
    rows = _rows(
        "SELECT comment_id, post_id, ifNull(reply_to_id, ''), content,\n"
        "    toUnixTimestamp(published_at)\n"
        f"FROM cleaned.comments WHERE platform = '{name}'"
    )
    private = {post["post_id"] for of in last.values() for post in of["posts"] if of["is_private"]}
    # X is asked for comments once a day, at a time that the collections do not tell: the first is
    # compared.
    found = {comment: (post, parent, text, int(at)) for comment, post, parent, text, at in rows}
    must = {
        comment
        for each in (shown[:1] if platform == "x" else shown)
        for comment, of in each.comments.items()
        if each.has(of["post_id"])
        and (platform != "x" or (each.is_searched(of) and of["post_id"] not in private))
    }
    yield from (f"{name}: comment {each} is missing" for each in sorted(must - found.keys()))
    for comment, told in found.items():
        if told != ever.get(comment):
            yield f"{name}: comment {comment} is {told}, the server has {ever.get(comment)}"


def _of_snapshots(platform: str, shown: Sequence[_Shown], interval: timedelta) -> Iterator[str]:
    """The posts that a collection brought no counters of."""
    name = connector_of(platform).platform
    rows = _rows(
        "SELECT post_id, toUnixTimestamp(collected_at) FROM cleaned.post_counters\n"
        f"WHERE platform = '{name}' AND endpoint NOT IN {tuple(_INSIGHTS)}"
    )
    taken: dict[str, list[int]] = {}
    for post, at in rows:
        taken.setdefault(post, []).append(int(at))
    for each in shown:
        first = each.collection.began // int(interval.total_seconds())
        begin = first * int(interval.total_seconds())
        for post in each.posts:
            if each.has(post) and not any(
                begin <= at <= each.collection.ended for at in taken.get(post, ())
            ):
                yield f"{name}: no counters of post {post} at {_told(each.collection.began)}"


def _of_counters(served: ServedPlatforms) -> Iterator[str]:
    """Each snapshot whose values are not those of the second in which it was fetched."""
    columns = sorted({*_COUNTED, *(name for names in _INSIGHTS.values() for name in names)})
    rows = _rows(
        "SELECT platform, account_id, post_id, endpoint, toUnixTimestamp(collected_at),\n"
        f"    {', '.join(columns)} FROM cleaned.post_counters"
    )
    fetched = _fetched()
    if len(fetched) != len(rows):
        yield f"post_counters: {len(rows)} rows, and {len(fetched)} keys in raw"
    truths: dict[tuple[str, str, int], dict[str, Any]] = {}
    for platform, account, post, endpoint, at, *values in rows:
        second = fetched[platform, post, endpoint, int(at)]
        place = (platform, account, second)
        if place not in truths:
            truths[place] = _posts_of(served, *place)
        told = dict(zip(columns, values, strict=True))
        held = truths[place].get(post)
        names = _INSIGHTS.get(endpoint, _COUNTED)
        kind = "insights" if endpoint in _INSIGHTS else "counters"
        expected = held and {name: held[kind][name] for name in names}
        found = {name: told[name] for name in names}
        if expected is None or not _is_told(endpoint, found, expected):
            yield (
                f"{platform}: {endpoint} of {post} at {_told(second)} is {found}, "
                f"and the server has {expected}"
            )


def _is_told(endpoint: str, found: dict[str, Any], expected: dict[str, Any]) -> bool:
    """Whether the values are those of the server. Of insights, a metric may be refused."""
    if endpoint not in _INSIGHTS:
        return found == expected
    return all(value in (None, expected[name]) for name, value in found.items())


def _posts_of(
    served: ServedPlatforms, platform: str, account: str, second: int
) -> dict[str, dict[str, Any]]:
    held = served.truth_of(platform.lower(), account, second)
    return {each["post_id"]: each for each in held["posts"]}


def _fetched() -> dict[tuple[str, str, str, int], int]:
    """When the row of each key was fetched, as its record in raw says: the first that landed."""
    raw = StoresResource(clickhouse=ClickHouseResource()).stores().of(contract("post_counters")).raw
    rows = raw.read().select(["ingested_at", "offset", "value"]).to_pylist()
    found: dict[tuple[str, str, str, int], int] = {}
    for row in sorted(rows, key=lambda row: (row["ingested_at"], row["offset"])):
        said = json.loads(row["value"])
        post = said["record"].get("id") or said["parent_id"]
        key = (said["platform"], post, said["endpoint"], _seconds(said["collected_at"]))
        found.setdefault(key, _seconds(said["fetched_at"]))
    return found


def _of_increments() -> list[str]:
    """The counters whose increments do not add up to their newest total."""
    totals = ", ".join(
        f"('{name}', argMax({name}, (collected_at, {name})))"
        for name in (*_COUNTED, "saves", "quotes", "reach")
    )
    rows = _rows(
        "WITH newest AS (SELECT platform, post_id, arrayJoin(totals) AS of_one\n"
        f"    FROM (SELECT platform, post_id, [{totals}] AS totals FROM cleaned.post_counters\n"
        "        GROUP BY platform, post_id)),\n"
        "told AS (SELECT platform, post_id, of_one.1 AS counter, of_one.2 AS total\n"
        "    FROM newest WHERE of_one.2 IS NOT NULL),\n"
        "sums AS (SELECT platform, post_id, counter,\n"
        "    toInt64(sum(initial)) + toInt64(sum(added)) - toInt64(sum(taken_back)) AS total\n"
        "    FROM star.post_counter_increments GROUP BY platform, post_id, counter)\n"
        "SELECT platform, post_id, counter, told.total, sums.total FROM told\n"
        "    FULL OUTER JOIN sums USING (platform, post_id, counter)\n"
        "WHERE told.total IS DISTINCT FROM sums.total\n"
        "SETTINGS join_use_nulls = 1"
    )
    return [f"increments of {row[:3]}: newest total {row[3]}, sum {row[4]}" for row in rows]


def _of_invariants() -> Iterator[str]:
    stores = StoresResource(clickhouse=ClickHouseResource()).stores()
    for stream in STREAMS:
        for invariant in invariants_of_stream(stream):
            for each in compare_days(invariant, stores, None):
                if not each.passed:
                    yield f"{stream}: {invariant.name} on {each.day}: {each.description}"


def _comment(each: dict[str, Any]) -> tuple[str, str, str, int]:
    parent = each["parent_id"] or ""
    return each["post_id"], parent, each["text"], _seconds(each["published_at"])


def _text(platform: str, post: dict[str, Any]) -> str:
    text = post["text"] or ""
    is_repost = platform == "x" and post["kind"] == "retweeted"
    return f"RT @birch: {text}" if is_repost else str(text)


def _once(platform: str, text: str) -> str:
    """TikTok gives a text as title and as description."""
    return text[: len(text) // 2] if platform == "tiktok" else text


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def _told(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _rows(query: str) -> list[tuple[Any, ...]]:
    with ClickHouseResource().client() as client:
        return [tuple(row) for row in client.query(query).result_rows]
