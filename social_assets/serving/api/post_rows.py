"""Posts of the star schema that a caller may see.

Belongs here: the SQL. Texts of people are parameters of the query.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from social_assets.serving.api.request.scope import visible
from social_assets.serving.callers import Caller

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_COLUMNS = """post_id,
    toString(account_id) AS account,
    platform,
    media_type,
    content,
    tags,
    published_at,
    toString(coalesce(published_at, first_seen_at)) AS sorted_at"""


@dataclass(frozen=True)
class PostFilter:
    """Which posts are wanted; an empty text stands for all."""

    account: str
    platform: str
    words: tuple[str, ...]

    def where(self) -> dict[str, tuple[str, ...]]:
        """The filters of a question about them, without the words."""
        named = (("account", self.account), ("platform", self.platform))
        return {name: (value,) for name, value in named if value}


@dataclass(frozen=True)
class PostRow:
    """One post."""

    post_id: str
    account_id: str | None
    platform: str
    media_type: str
    content: str
    tags: tuple[str, ...]
    published_at: datetime | None
    sorted_at: str


def newest_posts(
    client: Client, caller: Caller, chosen: PostFilter, after: Sequence[str | int], count: int
) -> list[PostRow]:
    """Posts, newest first; those after a place, if one is given."""
    conditions, parameters = ["1"], {}
    if chosen.account:
        conditions.append("toString(account_id) = {account:String}")
        parameters["account"] = chosen.account
    if chosen.platform:
        conditions.append("platform = {platform:String}")
        parameters["platform"] = chosen.platform
    for number, word in enumerate(chosen.words):
        conditions.append(f"positionCaseInsensitiveUTF8(content, {{word_{number}:String}}) > 0")
        parameters[f"word_{number}"] = word
    if after:
        conditions.append("(sorted_at, post_id) < ({after_at:String}, {after_id:String})")
        parameters["after_at"], parameters["after_id"] = map(str, after)
    return _rows(client, caller, conditions, parameters, count)


def posts_of(client: Client, caller: Caller, ids: Sequence[str]) -> list[PostRow]:
    """The posts with these ids that the caller may see."""
    if not ids:
        return []
    # By the key, which is the hash of the id: the table is ordered by it.
    condition = "post_key IN (SELECT MD5(arrayJoin({ids:Array(String)})))"
    return _rows(client, caller, [condition], {"ids": list(ids)}, len(ids))


def _rows(
    client: Client,
    caller: Caller,
    conditions: Sequence[str],
    parameters: dict[str, str | list[str]] | dict[str, str] | dict[str, list[str]],
    count: int,
) -> list[PostRow]:
    scope = visible(caller, "platform", "account_id")
    result = client.query(
        f"SELECT\n    {_COLUMNS}\nFROM star.dim_post\n"
        f"WHERE {' AND '.join([*conditions, scope.sql])}\n"
        f"ORDER BY sorted_at DESC, post_id DESC\nLIMIT {count}",
        parameters={**parameters, **scope.parameters},
    )
    return [
        PostRow(id_, account, platform, media, content, tuple(tags), published, sorted_at)
        for id_, account, platform, media, content, tags, published, sorted_at in result.result_rows
    ]
