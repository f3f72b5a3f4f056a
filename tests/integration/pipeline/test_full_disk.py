"""The disk is full at a step: the step fails, and completes when there is space.

The folder of one part of the home is on a small disk, which is full to the last block or has a
little space, so that the step fails in its middle. Afterwards the same call completes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import ingest_files, rebuild
from tests.integration.pipeline.accounts import Counts, contents, counts
from tests.small_disk import MakeSmallDisk

pytestmark = pytest.mark.endurance

StreamOf = Callable[[str], StreamStores]
DAYS = [date(2026, 1, day) for day in (1, 2, 3)]
STEPS = ("raw", "quarantine", "cleaned", "batches")
ROOM = (0, 16_384, 262_144)
"""Bytes that are left. Where nothing is, a step fails at once; with some, in its middle."""


def records(first: int, count: int) -> bytes:
    lines = (
        json.dumps(
            {
                "event_id": f"e{n % (count - 6) + first}",
                "event_time": f"{DAYS[n % 3]}T12:00:00Z",
                "platform": "X",
                "account_id": 1,
                "post_id": f"p{n * 7919 % 104_729:x}",
                "user_id": f"u{n * 104_729 % 7919:x}",
                "metric_type": "like",
                "value": -1 if n % 50 == 0 else 1,
            }
        )
        for n in range(count)
    )
    return "\n".join(lines).encode() + b"\n"


@pytest.fixture
def events(stream: StreamOf) -> StreamStores:
    return stream("engagement_events")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "events.ndjson"
    path.write_bytes(records(0, 6_000))
    return path


def folder_of(events: StreamStores, layer: str) -> Path:
    folder = Path(f"{events.stores.lake.root}/{layer}/{events.contract.name}")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def names_the_full_disk(error: BaseException) -> bool:
    return "No space left on device" in str(error) or "NOT_ENOUGH_SPACE" in str(error)


@pytest.mark.parametrize("step", STEPS)
def test_a_load_that_finds_the_disk_full_completes_when_there_is_room(
    events: StreamStores, small_disk: MakeSmallDisk, file: Path, step: str
) -> None:
    disk = small_disk(64, at=folder_of(events, step))
    failed = 0
    for room in ROOM:
        disk.fill(leave_bytes=room)
        try:
            ingest_files(events, [file])
        except OSError as error:
            failed += 1
            assert names_the_full_disk(error), error
        else:
            # A step reports success only if all rows are stored.
            counts(events)
        disk.make_room()
    assert failed > 0
    ingest_files(events, [file])
    assert counts(events) == Counts(6_000, 5_875, 5, 120, 5_875)


@pytest.mark.parametrize(
    "step",
    (
        "cleaned",
        pytest.param("quarantine", marks=pytest.mark.endurance),
        pytest.param("batches", marks=pytest.mark.endurance),
    ),
)
def test_a_rebuild_that_finds_the_disk_full_leaves_each_day_before_or_after(
    events: StreamStores, small_disk: MakeSmallDisk, file: Path, step: str
) -> None:
    disk = small_disk(64, at=folder_of(events, step))
    ingest_files(events, [file])
    before = contents(events)
    failed = 0
    for room in ROOM:
        disk.fill(leave_bytes=room)
        try:
            rebuild(events, DAYS)
        except OSError as error:
            failed += 1
            assert names_the_full_disk(error), error
        assert contents(events) == before
        disk.make_room()
    assert failed > 0
    rebuild(events, DAYS)
    assert contents(events) == before
    counts(events)


def test_on_a_read_only_disk_a_load_fails_and_completes_when_it_is_writable_again(
    events: StreamStores, small_disk: MakeSmallDisk, file: Path
) -> None:
    disk = small_disk(64, at=folder_of(events, "cleaned"))
    disk.make_read_only()
    with pytest.raises(OSError, match="Read-only file system"):
        ingest_files(events, [file])
    disk.make_writable()
    ingest_files(events, [file])
    assert counts(events) == Counts(6_000, 5_875, 5, 120, 5_875)
