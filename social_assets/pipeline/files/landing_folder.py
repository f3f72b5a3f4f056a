"""The landing folder of a stream: files there are loaded, then moved to a subfolder.

Belongs here: which files wait, which date a file's name gives (`..._2026-01-31.csv`, for records
without one), where files are moved. A name that starts with a dot or ends in `.part` is a file that
is still being written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from resources.settings.first_date import earliest_event_date
from social_assets.pipeline.files.allowed_files import check_folder

if TYPE_CHECKING:
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
        """The files to load, ordered by name."""
        if not self.folder.is_dir():
            return []
        files = sorted(p for p in self.folder.iterdir() if p.is_file())
        return [p for p in files if not p.name.startswith(".") and p.suffix != ".part"]

    def failed(self) -> list[Path]:
        """The files that could not be read and are still there."""
        folder = self.folder / FAILED
        return sorted(p for p in folder.iterdir() if p.is_file()) if folder.is_dir() else []

    def put_aside(self, ingested: Ingested) -> None:
        """Move landed files to `loaded/`, and files that cannot be read to `failed/`."""
        for file in ingested.landed:
            self._move(file.path, LOADED)
        for failure in ingested.failures:
            self._move(failure.path, FAILED)

    def _move(self, path: Path, outcome: str) -> Path:
        """Move a file; if the name exists, a number is added."""
        target = self.folder / outcome
        check_folder(target)
        target.mkdir(parents=True, exist_ok=True)
        place = target / path.name
        number = 1
        while place.exists():
            number += 1
            place = target / f"{path.name}.{number}"
        return path.rename(place)


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
