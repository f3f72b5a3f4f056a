"""What the warehouse knows of pictures: which are wanted, kept, or at the end of their time.

Belongs here: the questions to `cleaned.post_media` and to the streams that have media. A picture's
state is that of its newest row. Fetching and recording belong to `fetch_media`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from social_assets.contracts.collected.post_media import CONTRACT
from social_assets.contracts.contract import Contract, Media
from social_assets.contracts.registry import contracts
from social_assets.warehouse.present_tables import present_tables

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

TABLE = f"cleaned.{CONTRACT.name}"
CURRENT_STATES = f"""
    SELECT stream, platform, post_id, picture, published_at,
        newest.1 AS state, newest.2 AS sha256, newest.3 AS media_type, newest.4 AS size_bytes,
        newest.5 AS reason, newest.6 AS tries, newest.7 AS retry_at, happened_at
    FROM (
        SELECT stream, platform, post_id, picture,
            max(newer.published_at) AS published_at,
            -- As one value: of a nullable column alone it would be the newest that is known.
            argMax(
                (state, sha256, media_type, size_bytes, reason, tries, retry_at), newer.happened_at
            ) AS newest,
            max(newer.happened_at) AS happened_at
        FROM {TABLE} AS newer
        GROUP BY stream, platform, post_id, picture
    )
"""
"""One row a picture: what is true of it now."""

_LONGEST_PATH = 500
_WANTED = """
    SELECT posts.platform, posts.post_id, posts.picture, posts.url, posts.published_at, known.tries
    FROM (
        SELECT platform, post_id,
            if(path({column}) IN ('', '/'), {column}, path({column})) AS whole,
            if(length(whole) <= {longest}, whole, lower(hex(SHA256(whole)))) AS picture,
            argMax({column}, ingested_at) AS url, min({event_time}) AS published_at
        FROM (
            SELECT platform, post_id, ingested_at, {event_time}, assumeNotNull({column}) AS {column}
            FROM cleaned.{stream}
            WHERE {column} IS NOT NULL AND {column} != '' AND event_date >= {{first_kept:Date}}
        )
        GROUP BY platform, post_id, whole
    ) AS posts
    LEFT JOIN ({states}) AS known
        ON known.stream = {{stream:String}} AND known.platform = posts.platform
        AND known.post_id = posts.post_id AND known.picture = posts.picture
    WHERE known.picture = ''
        OR (known.state = 'failed' AND known.retry_at <= {{at:DateTime64(6, 'UTC')}})
    ORDER BY posts.published_at DESC, posts.platform, posts.post_id, posts.picture
    LIMIT {{most:UInt32}}
"""
_NO_STATES = """
    SELECT '' AS stream, '' AS platform, '' AS post_id, '' AS picture, '' AS state,
        toUInt32(0) AS tries, now64(6, 'UTC') AS retry_at
    WHERE 0
"""
_FIRST_DAY = date(1970, 1, 1)


@dataclass(frozen=True)
class PictureOfPost:
    """Which picture a row of `post_media` is about."""

    stream: str
    platform: str
    post_id: str
    picture: str
    published_at: datetime


@dataclass(frozen=True)
class WantedPicture:
    """A picture that is to be fetched. Its newest address is asked."""

    of: PictureOfPost
    url: str
    tries: int
    """How often that was tried already."""


@dataclass(frozen=True)
class KeptPicture:
    """A picture with a file in the store."""

    of: PictureOfPost
    state: str
    sha256: str
    media_type: str
    size_bytes: int
    tries: int


def streams_with_media() -> tuple[tuple[Contract, Media], ...]:
    """The streams whose contract names a column of pictures."""
    return tuple((each, each.media) for each in contracts() if each.media is not None)


def wanted_pictures(
    client: Client,
    contract: Contract,
    media: Media,
    *,
    first_kept: date | None,
    at: datetime,
    most: int,
) -> list[WantedPicture]:
    """Pictures that were never fetched, or whose next try is due, the newest posts first."""
    present = present_tables(client, ["cleaned"])
    if f"cleaned.{contract.name}" not in present:
        # The first rows of a stream make its table.
        return []
    query = _WANTED.format(
        column=f"`{media.column}`",
        event_time=f"`{contract.event_time}`",
        stream=contract.name,
        longest=_LONGEST_PATH,
        states=CURRENT_STATES if TABLE in present else _NO_STATES,
    )
    parameters = {
        "first_kept": first_kept or _FIRST_DAY,
        "stream": contract.name,
        "at": at,
        "most": most,
    }
    return [
        WantedPicture(
            PictureOfPost(contract.name, platform, post_id, picture, _utc(published_at)),
            url,
            tries,
        )
        for platform, post_id, picture, url, published_at, tries in client.query(
            query, parameters=parameters
        ).result_rows
    ]


def ended_pictures(client: Client, stream: str, published_before: datetime) -> list[KeptPicture]:
    """Fetched pictures of posts that were published before a time."""
    return _kept(
        client,
        "state = 'fetched' AND stream = {stream:String} "
        "AND published_at < {before:DateTime64(6, 'UTC')}",
        {"stream": stream, "before": published_before},
    )


def referenced_pictures(client: Client) -> list[KeptPicture]:
    """The pictures that have a file: fetched ones, and archived ones."""
    return _kept(client, "state IN ('fetched', 'archived')", {})


def _kept(client: Client, where: str, parameters: dict[str, Any]) -> list[KeptPicture]:
    if TABLE not in present_tables(client, ["cleaned"]):
        return []
    found: Sequence[Sequence[Any]] = client.query(
        "SELECT stream, platform, post_id, picture, published_at, state, "
        "assumeNotNull(sha256), assumeNotNull(media_type), assumeNotNull(size_bytes), tries\n"
        f"FROM ({CURRENT_STATES}) WHERE {where} AND sha256 IS NOT NULL",
        parameters=parameters,
    ).result_rows
    return [
        KeptPicture(PictureOfPost(stream, platform, post_id, picture, _utc(published_at)), *rest)
        for stream, platform, post_id, picture, published_at, *rest in found
    ]


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
