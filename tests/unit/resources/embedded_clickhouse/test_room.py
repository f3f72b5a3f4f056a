"""Which statements need space on the disk, and the error without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from resources.embedded_clickhouse.errors import ClickHouseError
from resources.embedded_clickhouse.query.room import Room, swaps_parts, takes_room
from resources.machine.disk_space import (
    DEFAULT_RESERVE_BYTES,
    RESERVE_VARIABLE,
    DiskSpace,
    ReserveError,
    readable,
    reserve_bytes,
)


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO t SELECT 1",
        "WITH 1 AS x INSERT INTO t SELECT x",
        "insert into t select 1",
        "CREATE TABLE t ENGINE = MergeTree ORDER BY a AS SELECT 1 AS a",
        "CREATE TABLE t ENGINE = Memory AS (SELECT 1 AS a)",
        "CREATE OR REPLACE TABLE t ENGINE = Memory AS WITH 1 AS x SELECT x",
        "CREATE MATERIALIZED VIEW v ENGINE = Memory POPULATE AS SELECT 1",
        "ALTER TABLE t UPDATE a = 1 WHERE 1",
        "ALTER TABLE t MODIFY COLUMN a String",
        "ALTER TABLE t MATERIALIZE COLUMN a",
        "UPDATE t SET a = 1 WHERE 1",
        "OPTIMIZE TABLE t FINAL",
    ],
)
def test_a_statement_that_writes_rows_takes_room(text: str) -> None:
    assert takes_room(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "DROP TABLE t",
        "TRUNCATE TABLE t",
        "DELETE FROM t WHERE 1",
        "ALTER TABLE t DELETE WHERE a = 1",
        "ALTER TABLE t DROP PARTITION '2026-01-01'",
        "ALTER TABLE t REPLACE PARTITION '2026-01-01' FROM s",
        "ALTER TABLE t DROP COLUMN a",
        "ALTER TABLE t MODIFY TTL d + INTERVAL 1 DAY",
        "CREATE TABLE IF NOT EXISTS t (a Int8) ENGINE = MergeTree ORDER BY a",
        "CREATE TABLE t AS s",
        "CREATE VIEW v AS SELECT 1",
        "CREATE MATERIALIZED VIEW v TO t AS SELECT 1",
        "CREATE DATABASE d",
        "RENAME TABLE a TO b",
        "EXCHANGE TABLES a AND b",
        "KILL QUERY WHERE 1",
        "SET a = 1",
        "",
    ],
)
def test_a_statement_that_frees_room_or_writes_no_rows_does_not(text: str) -> None:
    assert not takes_room(text.encode())


@pytest.mark.parametrize(
    ("text", "swaps"),
    [
        ("ALTER TABLE t REPLACE PARTITION '2026-01-01' FROM s", True),
        ("ALTER TABLE t MOVE PARTITION 1 TO TABLE s", True),
        ("ALTER TABLE t DROP PARTITION 1", False),
        ("CREATE OR REPLACE TABLE t (a Int8) ENGINE = Memory PARTITION BY a", False),
    ],
)
def test_a_swap_of_partitions_is_known(text: str, swaps: bool) -> None:
    assert swaps_parts(text.encode()) is swaps


def test_a_swap_is_refused_where_merges_have_reserved_what_is_left(tmp_path: Path) -> None:
    room = Room(tmp_path, tmp_path, reserve_bytes=0)
    room.require_for_swap(unreserved_bytes=32 * 1024**2)
    with pytest.raises(ClickHouseError, match="Nothing was changed") as raised:
        room.require_for_swap(unreserved_bytes=31 * 1024**2)
    assert raised.value.code == 243


def test_below_the_reserve_the_error_names_folder_room_reserve_and_setting(tmp_path: Path) -> None:
    with pytest.raises(ClickHouseError) as raised:
        Room(tmp_path, tmp_path, reserve_bytes=1 << 60).require()
    assert (raised.value.code, raised.value.name) == (243, "NOT_ENOUGH_SPACE")
    for part in (
        str(tmp_path),
        "free",
        "1,048,576.0 TiB",
        RESERVE_VARIABLE,
        "nothing was inserted",
    ):
        assert part in raised.value.message
    Room(tmp_path, tmp_path, reserve_bytes=0).require()


def test_the_reserve_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(RESERVE_VARIABLE, raising=False)
    assert reserve_bytes() == DEFAULT_RESERVE_BYTES
    monkeypatch.setenv(RESERVE_VARIABLE, "0")
    assert reserve_bytes() == 0
    monkeypatch.setenv(RESERVE_VARIABLE, "1 GiB")
    with pytest.raises(ReserveError, match=f"{RESERVE_VARIABLE}='1 GiB' is not usable"):
        reserve_bytes()


def test_a_disk_is_low_below_twice_its_reserve(tmp_path: Path) -> None:
    states = [
        (space.is_low, space.is_below_reserve)
        for space in (DiskSpace(tmp_path, free, 100) for free in (200, 199, 100, 99))
    ]
    assert states == [(False, False), (True, False), (True, False), (True, True)]


def test_a_folder_that_is_not_there_yet_is_measured_where_it_would_be(tmp_path: Path) -> None:
    assert DiskSpace.of(tmp_path / "a" / "b", 0).folder == tmp_path


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (1023, "1,023 bytes"), (1024, "1.0 KiB"), (3 << 29, "1.5 GiB")],
)
def test_bytes_are_read_in_their_unit(size: int, text: str) -> None:
    assert readable(size) == text
