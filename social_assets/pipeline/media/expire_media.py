"""Ends the time of pictures, and makes the store hold exactly the files that rows name.

Belongs here: the lifecycle that contracts declare. First the row says that a picture is deleted or
archived; then its file follows. The files are compared with all rows, so a process that is killed
anywhere leaves nothing that the next run does not see, and a file stays as long as another post has
it.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from resources.settings.home import Home
from social_assets.contracts.collected.post_media import CONTRACT
from social_assets.lake.media.media_files import MediaFiles, StoredFile
from social_assets.pipeline.media.media_rows import PictureRow, media_lock, media_rows, take_rows
from social_assets.pipeline.media.picture_states import (
    TABLE,
    KeptPicture,
    ReferencedFiles,
    ended_pictures,
    pictures_of,
    referenced_files,
    streams_with_media,
)
from social_assets.pipeline.stores import Stores
from social_assets.warehouse.present_tables import present_tables

_UNFINISHED = timedelta(hours=1)
"""A file that was begun so long ago was left by a killed process."""


class MissingRowsError(RuntimeError):
    """The warehouse lacks rows of pictures, so files must not be deleted by what it says."""


@dataclass
class ExpiredMedia:
    """What a run has done."""

    states: Counter[str] = field(default_factory=Counter)
    """How many pictures got each state."""
    files_deleted: int = 0
    files_archived: int = 0
    bytes_freed: int = 0
    files_kept: int = 0
    bytes_kept: int = 0
    days: set[date] = field(default_factory=set)
    """The dates of `post_media` whose rows changed."""


def expire_media(
    home: Home,
    stores: Stores,
    files: MediaFiles,
    at: datetime,
    log_comment: str | None = None,
) -> ExpiredMedia:
    """Delete or archive pictures whose time is over, and delete files that no row names.

    A picture whose file is lost is fetched again. One process at a time; another one waits. Raises
    MissingRowsError.
    """
    done = ExpiredMedia()
    with media_lock(stores):
        pipeline = media_rows(home, stores, log_comment)
        done.days |= pipeline.recover_pages().get(CONTRACT.name, set())
        _check_complete(stores, log_comment)
        rows = _ended(stores, at, log_comment)
        done.days |= take_rows(pipeline, rows)
        with stores.clickhouse.client(log_comment) as client:
            referenced = referenced_files(client)
            there = _arrange(files, referenced, done)
            missing = [each for each in referenced.sizes if each not in there]
            lost = [_lost(each, at) for each in pictures_of(client, missing)] if missing else []
        done.days |= take_rows(pipeline, lost)
        done.states.update(row.state for row in (*rows, *lost))
    return done


def _check_complete(stores: Stores, log_comment: str | None) -> None:
    """Raise MissingRowsError unless the warehouse has every row that the lake has."""
    held = sum(stores.of(CONTRACT).cleaned.rows_by_day().values())
    with stores.clickhouse.client(log_comment) as client:
        loaded = 0
        if TABLE in present_tables(client, ["cleaned"]):
            [(loaded,)] = client.query(f"SELECT count() FROM {TABLE}").result_rows
    if loaded != held:
        raise MissingRowsError(
            f"{TABLE} has {loaded:,} rows and the lake {held:,}: no file is deleted until they are "
            f"the same; `social-assets backfill` rebuilds the days that {CONTRACT.name}'s check "
            "lake_equals_warehouse names"
        )


def _ended(stores: Stores, at: datetime, log_comment: str | None) -> list[PictureRow]:
    """The rows of pictures whose time is over."""
    found: list[PictureRow] = []
    with stores.clickhouse.client(log_comment) as client:
        for contract, media in streams_with_media():
            if media.keep_days is None:
                continue
            state = "deleted" if media.then == "delete" else "archived"
            first = (at - timedelta(days=media.keep_days)).date()
            before = datetime(first.year, first.month, first.day, tzinfo=UTC)
            found += [
                PictureRow(
                    each.of, at, state, each.tries, each.sha256, each.media_type, each.size_bytes
                )
                for each in ended_pictures(client, contract.name, before)
            ]
    return found


def _arrange(files: MediaFiles, referenced: ReferencedFiles, done: ExpiredMedia) -> frozenset[str]:
    """Move and delete files, so that each is where the rows say; returns the hashes that are there.

    A file that one post keeps and another one has archived stays where it is.
    """
    kept, archived = referenced.kept, referenced.archived
    there: set[str] = set()
    for file in files.list():
        if file.sha256 in (kept if file.area == "kept" else archived):
            there.add(file.sha256)
            done.files_kept += 1
            done.bytes_kept += file.size_bytes
        elif file.area == "kept" and file.sha256 in archived:
            there.add(file.sha256)
            files.archive(file)
            done.files_archived += 1
        else:
            _delete(files, file, done, there, is_kept=file.sha256 in kept)
    for path in files.unfinished():
        if time.time() - path.stat().st_mtime > _UNFINISHED.total_seconds():
            path.unlink(missing_ok=True)
    return frozenset(there)


def _delete(
    files: MediaFiles, file: StoredFile, done: ExpiredMedia, there: set[str], *, is_kept: bool
) -> None:
    """Delete a file that no row names; one that is in the archive and is kept again stays there
    until its copy in `kept` was seen.
    """
    if is_kept and file.sha256 not in there:
        return
    files.delete(file)
    done.files_deleted += 1
    done.bytes_freed += file.size_bytes


def _lost(picture: KeptPicture, at: datetime) -> PictureRow:
    """The row of a picture whose file is not in the store: it is fetched again, unless its time is
    over.
    """
    is_wanted = picture.state == "fetched"
    return PictureRow(
        picture.of,
        at,
        "failed" if is_wanted else "given_up",
        0,
        reason="file_lost",
        detail="the file is not in the store",
        retry_at=at if is_wanted else None,
    )
