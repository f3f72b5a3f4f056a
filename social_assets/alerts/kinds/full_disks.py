"""Active alerts of this machine's disks: those of the home, the lake and the embedded warehouse.

An alert is active while a disk has less free space than twice the reserve. It is an error below the
reserve, where the embedded ClickHouse refuses inserts. The disks of a ClickHouse server that
SOCIAL_ASSETS_CLICKHOUSE_URL names are not on this machine; the doctor asks that server about them.
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
from social_assets.alerts.active import ActiveAlert, FailureKind, Observation, Severity
from social_assets.defs.stores import LAKE_URL

REMEDY = (
    "make room (delete what is not needed on that disk, shorten the retention of contracts), or "
    f"move the home to a larger one; {RESERVE_VARIABLE} is the reserve"
)
_FULL_BYTES = 1024**2
"""A disk with less free space is full, even if no reserve is set."""


@dataclass(frozen=True)
class Disk:
    """One disk, and which of our folders are on it."""

    names: tuple[str, ...]
    space: DiskSpace

    @property
    def name(self) -> str:
        """The names of the folders on it, as a text."""
        return " and ".join(self.names)

    @property
    def severity(self) -> Severity | None:
        """The severity of its alert; None if it has enough free space."""
        if self.space.is_below_reserve or self.space.free_bytes < _FULL_BYTES:
            return Severity.ERROR
        return Severity.WARN if self.space.is_low else None

    def describe(self) -> str:
        """The free space, and its consequence."""
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

    Raises ReserveError if the reserve is not a number.
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
    """The disks with too little free space."""
    try:
        found = disks(home)
    except (OSError, ReserveError) as error:
        blind = ActiveAlert(
            key="blind/disk",
            kind=FailureKind.BLIND,
            severity=Severity.ERROR,
            title="the disks cannot be watched",
            detail=" ".join(str(error).split())[:300],
            remedy="correct what the message names, then run `social-assets doctor`",
        )
        return Observation((blind,), blind=("disk/",))
    return Observation(tuple(_active_alert(disk, disk.severity) for disk in found if disk.severity))


def _active_alert(disk: Disk, severity: Severity) -> ActiveAlert:
    state = "almost full"
    if severity is Severity.ERROR:
        state = "full" if disk.space.free_bytes < _FULL_BYTES else "below its reserve"
    return ActiveAlert(
        # The key names only the first folder: the others may change while the disk is full.
        key=f"disk/{disk.names[0]}",
        kind=FailureKind.DISK,
        severity=severity,
        title=f"the disk of {disk.name} is {state}",
        detail=disk.describe(),
        remedy=f"{REMEDY}; `social-assets doctor` shows every disk",
    )


def _local_folder(root: str) -> Path | None:
    """The lake's root as a local folder; None if it is remote."""
    if "://" not in root:
        return Path(root)
    address = urlsplit(root)
    return Path(unquote(address.path)) if address.scheme == "file" else None
