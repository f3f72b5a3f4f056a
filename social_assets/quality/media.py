"""How well pictures are fetched, how much they are, and whether their files are there.

Belongs here: what the checks of pictures and `social-assets media` show, without Dagster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from social_assets.lake.media.media_files import MediaFiles
from social_assets.pipeline.media.picture_states import CURRENT_STATES, TABLE, referenced_files
from social_assets.warehouse.present_tables import present_tables

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_WITHOUT_FILE = ("failed", "given_up", "refused")
_COUNTS = f"""
    SELECT stream, platform, state, ifNull(reason, '') AS reason, count() AS pictures,
        sum(ifNull(size_bytes, 0)) AS size_bytes
    FROM ({CURRENT_STATES})
    WHERE happened_at >= {{since:DateTime64(6, 'UTC')}}
    GROUP BY stream, platform, state, reason
    ORDER BY stream, platform, state, reason
"""
_STORED = f"""
    SELECT count(), sum(size) FROM (
        SELECT sha256, any(size_bytes) AS size FROM ({CURRENT_STATES})
        WHERE state IN ('fetched', 'archived') AND sha256 IS NOT NULL
            AND ({{stream:String}} = '' OR stream = {{stream:String}})
        GROUP BY sha256
    )
"""


@dataclass(frozen=True)
class MediaCount:
    """How many pictures of a platform have a state, for a reason."""

    stream: str
    platform: str
    state: str
    reason: str
    pictures: int
    size_bytes: int

    @property
    def has_no_file(self) -> bool:
        """Whether these could not be fetched."""
        return self.state in _WITHOUT_FILE

    def as_json(self) -> dict[str, object]:
        """The count for programs."""
        return asdict(self)


@dataclass(frozen=True)
class StoredMedia:
    """Different files that rows name, and their size in all."""

    files: int
    size_bytes: int


@dataclass(frozen=True)
class ComparedFiles:
    """The files that rows name, beside those of the store."""

    named: int
    missing: int
    wrong_size: int
    examples: tuple[str, ...]

    @property
    def is_right(self) -> bool:
        """Whether each file that a row names is there, whole."""
        return not (self.missing or self.wrong_size)


def media_counts(client: Client, since: datetime) -> list[MediaCount]:
    """Pictures whose state began since a time, by stream, platform, state and reason."""
    if TABLE not in present_tables(client, ["cleaned"]):
        return []
    found = client.query(_COUNTS, parameters={"since": since}).result_rows
    return [MediaCount(*row) for row in found]


def share_without_file(counts: Sequence[MediaCount]) -> float:
    """Which part of the pictures could not be fetched; those that were deleted do not count."""
    asked = sum(each.pictures for each in counts if each.has_no_file or each.state == "fetched")
    failed = sum(each.pictures for each in counts if each.has_no_file)
    return failed / asked if asked else 0.0


def stored_media(client: Client, stream: str = "") -> StoredMedia:
    """The files that rows name, of a stream or of all."""
    if TABLE not in present_tables(client, ["cleaned"]):
        return StoredMedia(0, 0)
    [(files, size)] = client.query(_STORED, parameters={"stream": stream}).result_rows
    return StoredMedia(int(files), int(size or 0))


def compare_files(client: Client, files: MediaFiles) -> ComparedFiles:
    """Look for each file that a row names."""
    named = referenced_files(client).sizes
    there = {each.sha256: each.size_bytes for each in files.list()}
    missing = sorted(named.keys() - there.keys())
    wrong = sorted(name for name, size in named.items() if there.get(name, size) != size)
    return ComparedFiles(len(named), len(missing), len(wrong), tuple([*missing, *wrong][:5]))
