"""The free space of a disk, compared with the reserve that must stay free on it.

Belongs here: only the measurement. The embedded ClickHouse refuses inserts below the reserve;
doctor and alerts report it. Standard library only.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

RESERVE_VARIABLE = "SOCIAL_ASSETS_DISK_RESERVE_BYTES"
DEFAULT_RESERVE_BYTES = 1024**3

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


class ReserveError(ValueError):
    """The variable does not hold a number of bytes; the text names it."""


def reserve_bytes() -> int:
    """The reserve in the environment, or the default; 0 means none."""
    text = os.environ.get(RESERVE_VARIABLE, "").strip()
    if not text:
        return DEFAULT_RESERVE_BYTES
    if not text.isdecimal():
        raise ReserveError(
            f"{RESERVE_VARIABLE}={text!r} is not usable: it must be a whole number, 0 or more"
        )
    return int(text)


@dataclass(frozen=True)
class DiskSpace:
    """The free space on the disk of a folder, for this user."""

    folder: Path
    free_bytes: int
    reserve_bytes: int

    @classmethod
    def of(cls, folder: Path, reserve: int) -> Self:
        """The disk of the folder, or of the nearest parent that exists."""
        place = next(p for p in (folder, *folder.parents) if p.exists())
        usage = os.statvfs(place)
        return cls(place, usage.f_bavail * usage.f_frsize, reserve)

    @property
    def is_below_reserve(self) -> bool:
        """Whether less than the reserve is free, so that inserts are refused."""
        return self.free_bytes < self.reserve_bytes

    @property
    def is_low(self) -> bool:
        """Whether less than twice the reserve is free."""
        return self.free_bytes < 2 * self.reserve_bytes

    def describe(self) -> str:
        """Folder, room and reserve, in a clause."""
        return (
            f"{readable(self.free_bytes)} free on the disk of {self.folder} "
            f"(reserve: {readable(self.reserve_bytes)}, {RESERVE_VARIABLE})"
        )


def readable(size: int) -> str:
    """Bytes in the unit in which they are best read."""
    power = min((max(size, 1).bit_length() - 1) // 10, len(_UNITS) - 1)
    digits = 1 if power else 0
    return f"{size / 1024**power:,.{digits}f} {_UNITS[power]}"
