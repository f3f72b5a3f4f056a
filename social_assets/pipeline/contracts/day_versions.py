"""Which days of a table are made from the records that another table has now.

Belongs here: a number for the records of a day, which the commit that makes the day records.
"""

from __future__ import annotations

import hashlib
from datetime import date

from social_assets.lake.delta import LakeTable


def versions(table: LakeTable) -> dict[date, int]:
    """A number for the records of each day, which changes when its files do."""
    by_day: dict[date, list[str]] = {}
    for file in table.files():
        day = date.fromisoformat(file.rpartition("event_date=")[2][:10])
        by_day.setdefault(day, []).append(file)
    return {
        day: int.from_bytes(hashlib.sha256("\n".join(sorted(files)).encode()).digest()[:7], "big")
        for day, files in by_day.items()
    }


def missing_days(source: LakeTable, made: LakeTable) -> list[date]:
    """The days of `source` that `made` has not, or that changed since."""
    found = versions(source)
    known = made.applied_versions(version_of(day) for day in found)
    return sorted(day for day, number in found.items() if known.get(version_of(day)) != number)


def version_of(day: date) -> str:
    """The application id whose version is the number of a day's records."""
    return f"day:{day}"
