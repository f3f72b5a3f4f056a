"""What the warehouse knows of pictures: which are wanted, kept, or at the end of their time.

Belongs here: the questions to `cleaned.post_media` and to the streams that have media. A picture's
state is that of its newest row. Fetching and recording belong to `fetch_media`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
_ID = "sipHash128(toString(platform), post_id, {})"
_WANTED = """
    SELECT posts.platform, posts.post_id, posts.picture, posts.url, posts.published_at, failed.tries
    FROM (
        SELECT id, any(p.platform) AS platform, any(p.post_id) AS post_id, any(p.name) AS picture,
            argMax(p.address, p.ingested_at) AS url, min(p.at) AS published_at
        FROM (
            SELECT platform, post_id, ingested_at, {event_time} AS at,
                assumeNotNull({column}) AS address,
                if(path(address) IN ('', '/'), address, path(address)) AS whole,
                if(length(whole) <= {longest}, whole, lower(hex(SHA256(whole)))) AS name,
                {id_of_name} AS id
            FROM cleaned.{stream}
            WHERE {column} IS NOT NULL AND {column} != '' AND event_date >= {{first_kept:Date}}
        ) AS p
        WHERE id NOT IN ({done})
        GROUP BY id
    ) AS posts
    LEFT JOIN ({failed}) AS failed ON failed.id = posts.id
    ORDER BY published_at DESC, platform, post_id, picture
    LIMIT {{most:UInt32}}
"""
_DONE = f"""
    SELECT {_ID.format("picture")} AS id
    FROM {TABLE} WHERE stream = {{stream:String}}
    GROUP BY id
    HAVING argMax(state != 'failed' OR retry_at > {{at:DateTime64(6, 'UTC')}}, happened_at)
"""
"""The pictures that are not to be fetched now."""
_FAILED = f"""
    SELECT {_ID.format("picture")} AS id, argMax(tries, happened_at) AS tries
    FROM {TABLE} WHERE stream = {{stream:String}} AND state = 'failed'
    GROUP BY id
"""
_NOTHING = "SELECT toFixedString('', 16) AS id, 0 AS tries WHERE 0"
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


@dataclass(frozen=True)
class ReferencedFiles:
    """The files that rows name: hash -> size. `archived` ones are kept by no post any more."""

    kept: Mapping[str, int]
    archived: Mapping[str, int]

    @property
    def sizes(self) -> Mapping[str, int]:
        """All of them."""
        return {**self.kept, **self.archived}


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
    is_known = TABLE in present
    query = _WANTED.format(
        column=f"`{media.column}`",
        event_time=f"`{contract.event_time}`",
        stream=contract.name,
        longest=_LONGEST_PATH,
        id_of_name=_ID.format("name"),
        done=_DONE if is_known else f"SELECT id FROM ({_NOTHING})",
        failed=_FAILED if is_known else _NOTHING,
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


def referenced_files(client: Client) -> ReferencedFiles:
    """The files that rows name, one for each hash."""
    if TABLE not in present_tables(client, ["cleaned"]):
        return ReferencedFiles({}, {})
    found = client.query(
        "SELECT assumeNotNull(sha256), max(state = 'fetched'), any(assumeNotNull(size_bytes))\n"
        f"FROM ({CURRENT_STATES}) WHERE state IN ('fetched', 'archived') AND sha256 IS NOT NULL\n"
        "GROUP BY sha256",
        column_oriented=True,
    )
    rows = list(zip(*found.result_columns, strict=True)) if found.row_count else []
    return ReferencedFiles(
        {sha256: size for sha256, is_kept, size in rows if is_kept},
        {sha256: size for sha256, is_kept, size in rows if not is_kept},
    )


def pictures_of(client: Client, files: Sequence[str]) -> list[KeptPicture]:
    """The pictures that have one of some files, by their hashes."""
    return _kept(
        client,
        "state IN ('fetched', 'archived') AND sha256 IN {files:Array(String)}",
        {"files": list(files)},
    )


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
