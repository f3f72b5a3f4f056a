"""Disks of this machine that run full: those of the home, the lake and the embedded warehouse.

Looked at live. An alert stands while a disk has less than twice the reserve, and becomes an error
below it, where the embedded ClickHouse refuses inserts. The disks of a ClickHouse server that
SOCIAL_ASSETS_CLICKHOUSE_URL names are not this machine's: the doctor asks that server for them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from resources.clickhouse.resource import URL_VARIABLE
from resources.machine.disk_space import (
    RESERVE_VARIABLE,
    DiskSpace,
    ReserveError,
    readable,
    reserve_bytes,
)
from resources.settings.home import Home
from social_assets.alerts.active import ActiveAlert, Kind, Observation, Severity
from social_assets.defs.stores import LAKE_URL

REMEDY = (
    "make room (delete what is not needed on that disk, shorten the retention of contracts), or "
    f"move the home to a larger one; {RESERVE_VARIABLE} is the reserve"
)
_FULL_BYTES = 1024**2
"""Less than that is full, also where no reserve is set."""


@dataclass(frozen=True)
class Disk:
    """One disk, and what of ours lies on it."""

    names: tuple[str, ...]
    space: DiskSpace

    @property
    def name(self) -> str:
        """What lies on it, as people say it."""
        return " and ".join(self.names)

    @property
    def severity(self) -> Severity | None:
        """How bad its state is; None if there is room."""
        if self.space.is_below_reserve or self.space.free_bytes < _FULL_BYTES:
            return Severity.ERROR
        return Severity.WARN if self.space.is_low else None

    def describe(self) -> str:
        """The room, and what follows from it."""
        text = (
            f"{readable(self.space.free_bytes)} free on the disk of {self.space.folder} "
            f"({self.name})"
        )
        reserve = readable(self.space.reserve_bytes)
        if self.severity is Severity.ERROR:
            refused = "; inserts are refused" if "warehouse" in self.names else ""
            return f"{text}, below the reserve of {reserve}{refused}"
        return f"{text}; the reserve is {reserve}"


def disks(home: Home, environment: Mapping[str, str] = os.environ) -> list[Disk]:
    """The disks that the installation writes to on this machine, each once.

    Raises ReserveError where the reserve is no number.
    """
    folders = {"home": home.path}
    lake = _local_folder(environment.get(LAKE_URL) or str(home.lake))
    if lake is not None:
        folders["lake"] = lake
    if not environment.get(URL_VARIABLE):
        folders["warehouse"] = home.clickhouse / "data"
    reserve = reserve_bytes()
    by_device: dict[int, tuple[list[str], DiskSpace]] = {}
    for name, folder in folders.items():
        space = DiskSpace.of(folder, reserve)
        names, _ = by_device.setdefault(space.folder.stat().st_dev, ([], space))
        names.append(name)
    return [Disk(tuple(names), space) for names, space in by_device.values()]


def observe_disks(home: Home) -> Observation:
    """The disks that run full."""
    try:
        found = disks(home)
    except (OSError, ReserveError) as error:
        blind = ActiveAlert(
            key="blind/disk",
            kind=Kind.BLIND,
            severity=Severity.ERROR,
            title="the disks cannot be watched",
            detail=" ".join(str(error).split())[:300],
            remedy="correct what the message names, then run `social-assets doctor`",
        )
        return Observation((blind,), blind=("disk/",))
    return Observation(tuple(_standing(disk, disk.severity) for disk in found if disk.severity))


def _standing(disk: Disk, severity: Severity) -> ActiveAlert:
    is_full = severity is Severity.ERROR
    return ActiveAlert(
        # Of the first alone: what else lies on the disk may change while it is full.
        key=f"disk/{disk.names[0]}",
        kind=Kind.DISK,
        severity=severity,
        title=f"the disk of {disk.name} is {'full' if is_full else 'almost full'}",
        detail=disk.describe(),
        remedy=f"{REMEDY}; `social-assets doctor` shows every disk",
    )


def _local_folder(root: str) -> Path | None:
    """A lake's root as a folder of this machine, if it is one."""
    if "://" not in root:
        return Path(root)
    address = urlsplit(root)
    return Path(unquote(address.path)) if address.scheme == "file" else None
