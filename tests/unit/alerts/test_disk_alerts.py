"""A full disk causes an alert that ends when there is space."""

from __future__ import annotations

from pathlib import Path

import pytest

from resources.clickhouse.resource import URL_VARIABLE
from resources.machine.disk_space import RESERVE_VARIABLE
from resources.settings.home import Home
from social_assets.alerts.active import FailureKind, Severity
from social_assets.alerts.changes import Told, changes_since
from social_assets.alerts.kinds.full_disks import disks, observe_disks
from social_assets.defs.stores import LAKE_URL
from tests.small_disk import MakeSmallDisk

MEGABYTE = 1024**2


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv(RESERVE_VARIABLE, str(16 * MEGABYTE))
    monkeypatch.delenv(LAKE_URL, raising=False)
    monkeypatch.delenv(URL_VARIABLE, raising=False)
    return Home(tmp_path / "home")


def test_an_alert_stands_from_twice_the_reserve_and_ends_when_there_is_room(
    home: Home, small_disk: MakeSmallDisk
) -> None:
    disk = small_disk(64, at=home.path)
    assert observe_disks(home).active == ()
    disk.fill(leave_bytes=24 * MEGABYTE)
    (low,) = observe_disks(home).active
    assert (low.kind, low.severity) == (FailureKind.DISK, Severity.WARN)
    assert low.title == "the disk of home and lake and warehouse is almost full"
    disk.fill(leave_bytes=8 * MEGABYTE)
    (full,) = observe_disks(home).active
    assert (full.key, full.severity) == (low.key, Severity.ERROR)
    assert full.title == "the disk of home and lake and warehouse is below its reserve"
    for part in ("8.0 MiB free", str(home.path), "16.0 MiB", "refused"):
        assert part in full.detail
    assert "make room" in full.remedy
    disk.make_room()
    told = {full.key: Told(full.key, full.severity, full.title, "", 0.0)}
    ended = changes_since(observe_disks(home), (), told)
    assert [each.title for each in ended.recovered] == [full.title]


def test_each_disk_has_its_own_alert(home: Home, small_disk: MakeSmallDisk) -> None:
    small_disk(64, at=home.path)
    for folder in (home.lake, home.clickhouse / "data"):
        small_disk(64, at=folder).fill()
    found = observe_disks(home).active
    assert [each.key for each in found] == ["disk/lake", "disk/warehouse"]


def test_without_a_reserve_a_full_disk_is_told_all_the_same(
    home: Home, small_disk: MakeSmallDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(RESERVE_VARIABLE, "0")
    small_disk(8, at=home.path).fill()
    (full,) = observe_disks(home).active
    assert full.severity is Severity.ERROR
    assert full.title.endswith("is full")


def test_lake_and_warehouse_elsewhere_are_no_disks_of_this_machine(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LAKE_URL, "s3://bucket/lake")
    monkeypatch.setenv(URL_VARIABLE, "http://elsewhere:8123")
    assert [disk.names for disk in disks(home)] == [("home",)]
    monkeypatch.setenv(LAKE_URL, (home.path / "lä ke").as_uri())
    assert [disk.names for disk in disks(home)] == [("home", "lake")]


def test_a_reserve_that_is_no_number_is_an_alert(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(RESERVE_VARIABLE, "much")
    observed = observe_disks(home)
    (blind,) = observed.active
    assert blind.kind is FailureKind.BLIND
    assert RESERVE_VARIABLE in blind.detail
    assert observed.is_unknown("disk/home")
