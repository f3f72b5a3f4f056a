"""The landing folder of a stream: files there are loaded, then moved to a subfolder.

Belongs here: which files wait, which date a file's name gives (`..._2026-01-31.csv`, for records
without one), where files are moved. Which files are still being written is told by
`unfinished_files`.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from resources.settings.first_date import earliest_event_date
from social_assets.ingest.files.open_file import content_hash
from social_assets.ingest.records import FileChangedError, FileError, shown_path
from social_assets.pipeline.files.allowed_files import check_folder
from social_assets.pipeline.files.moved_files import MovedFiles
from social_assets.pipeline.files.unfinished_files import Seen, is_unfinished
from social_assets.pipeline.files.unload_requests import content_of

if TYPE_CHECKING:
    from social_assets.pipeline.files.land import LandedFile
    from social_assets.pipeline.stream_work import Ingested

LOADED, FAILED = "loaded", "failed"
_DATE = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2})(?!\d)")


class LandingDateError(ValueError):
    """The date for records without one is outside the partitions."""


@dataclass(frozen=True)
class Landing:
    """`<landing>/<stream>/`, with `loaded/` and `failed/` below it."""

    root: Path
    stream: str

    @property
    def folder(self) -> Path:
        """Where files are dropped."""
        return self.root / self.stream

    def waiting(self) -> list[Path]:
        """The files to load, ordered by name; some may still be written (`at_rest`).

        What has the name of a file and is none (a folder `x.csv`, a link that leads nowhere) is
        among them, so that a load names it. Other folders are left alone.
        """
        if not self.folder.is_dir():
            return []
        found = (p for p in sorted(self.folder.iterdir()) if not is_unfinished(p.name))
        return [p for p in found if p.suffix or not p.is_dir()]

    def failed(self) -> list[Path]:
        """The files that could not be read and are still there."""
        folder = self.folder / FAILED
        return (
            sorted(p for p in folder.iterdir() if not p.name.startswith("."))
            if folder.is_dir()
            else []
        )

    def rewritten(self) -> dict[Path, str]:
        """The files in `loaded/` that were written to after their move, and the batch of each."""
        return MovedFiles(self.folder / LOADED).rewritten()

    def put_aside(self, ingested: Ingested) -> list[str]:
        """Move landed files to `loaded/`, and files that cannot be read to `failed/`.

        A file that has changed since it was read stays, and is loaded again. Returns what could not
        be moved, and why.
        """
        left = [self._move_landed(file) for file in ingested.landed]
        left += [
            self._move(failure.path, FAILED)
            for failure in ingested.failures
            if not isinstance(failure, FileChangedError)
        ]
        return [told for told in left if told]

    def _move_landed(self, file: LandedFile) -> str:
        try:
            content = content_hash(file.path)
        except FileError as error:
            return f"{error}; it was loaded and is not in {LOADED}/"
        if content != content_of(file.batch_id):
            return f"{file.path}: it changed after it was read; it stays, and is loaded again"
        return self._move(file.path, LOADED, file.batch_id)

    def _move(self, path: Path, outcome: str, batch_id: str = "") -> str:
        """Move a file; if the name exists, a number is added. Returns why it could not be moved."""
        target = self.folder / outcome
        check_folder(target)
        target.mkdir(parents=True, exist_ok=True)
        place, number = target / path.name, 1
        while place != path and os.path.lexists(place):
            number += 1
            place = target / f"{path.stem}.{number}{path.suffix}"
        try:
            # First the record: whoever is killed in between leaves the file where it was.
            if batch_id and (seen := Seen.of(path)) is not None:
                MovedFiles(target).add(place.name, batch_id, seen)
            path.rename(place)
        except FileNotFoundError:
            return f"{shown_path(path)}: it is gone and can't be moved to {outcome}/"
        except OSError as error:
            return f"{shown_path(path)}: it can't be moved to {outcome}/ ({error.strerror})"
        return ""


def check_landing_date(day: date) -> None:
    """Raise LandingDateError unless a partition has that date, as records would land there."""
    last = datetime.now(UTC).date() + timedelta(days=1)
    first = earliest_event_date()
    if not first <= day <= last:
        raise LandingDateError(
            f"no partition has the date {day}: records land on {first} to {last} "
            "(tomorrow); give the date that the records are of, with --date or in the file's name"
        )


def date_in(path: Path) -> date | None:
    """The date `YYYY-MM-DD` in a file's name; None if there is none, or no such day."""
    found = _DATE.search(path.name)
    if found is None:
        return None
    try:
        return date.fromisoformat(found.group(1))
    except ValueError:
        return None
