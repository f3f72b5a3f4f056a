"""A home with something in every store that a backup copies, made without ClickHouse."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from resources.settings.environments import CONTROL_URL, DAGSTER_STORAGE_URL
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from resources.settings.lake_root import LAKE_URL
from social_assets.contracts.registry import contracts
from social_assets.control.engine import open_engine
from social_assets.control.secrets.encrypted_secrets import EncryptedSecrets
from social_assets.lake.delta import Applied, LakeTable
from social_assets.lake.lake import Lake
from social_assets.operate.disaster.backup import MadeBackup, make_backup


@dataclass(frozen=True)
class UsedHome:
    """The home, where its backups go, and its tables of one stream."""

    home: Home
    target: Path

    @property
    def raw(self) -> LakeTable:
        return _lake(self.home).table("raw", next(iter(contracts())))

    @property
    def cleaned(self) -> LakeTable:
        return _lake(self.home).table("cleaned", next(iter(contracts())))

    def land(self, number: int) -> None:
        """Append one record to raw, with a transaction."""
        self.raw.append(row(self.raw, number), Applied("batch", number, is_once=True))

    def back_up(self, keep: int | None = None) -> MadeBackup:
        return make_backup(self.home, str(self.target), told.append, keep=keep)

    def objects(self) -> list[Path]:
        """The contents in the folder of backups."""
        return sorted(each for each in (self.target / "objects").rglob("*") if each.is_file())


told: list[str] = []
"""What the commands have said."""


def _lake(home: Home) -> Lake:
    return Lake(str(home.lake), locks=home.path / "locks")


def row(table: LakeTable, number: int) -> pa.Table:
    """A record with a day and a number."""

    def value(kind: pa.DataType) -> object:
        if pa.types.is_date32(kind):
            return date(2026, 3, 2)
        if pa.types.is_map(kind):
            return []
        text = str(number)
        return text.encode() if pa.types.is_binary(kind) else text if _is_text(kind) else number

    columns = [pa.array([value(each.type)], each.type) for each in table.schema]
    return pa.Table.from_arrays(columns, schema=table.schema)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind))


@pytest.fixture
def used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[UsedHome]:
    """A home in use: a database of Dagster is open, with rows that are only in its log."""
    for name in (LAKE_URL, CONTROL_URL, DAGSTER_STORAGE_URL):
        monkeypatch.delenv(name, raising=False)
    home = Home(tmp_path / "ho me% ü#'x,z=1*{a}&$")
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(home.path))
    found = UsedHome(home, tmp_path / "back ups")
    for number in range(3):
        found.land(number)
    found.cleaned.record_applied(Applied("contract", 1))
    engine = open_engine(home)
    EncryptedSecrets(engine, home).put("token", "of-a-platform")
    engine.dispose()
    model = home.artifacts / "als"
    (model / "v1").mkdir(parents=True)
    (model / "v1" / "manifest.json").write_text("{}")
    (model / "current").write_text("v1\n")
    (home.landing / "posts").mkdir(parents=True)
    (home.landing / "posts" / "a.csv").write_text("id\n1\n")
    home.clickhouse.mkdir()
    (home.clickhouse / "data").write_text("made anew")
    runs = home.dagster / "history" / "runs"
    runs.mkdir(parents=True)
    with closing(sqlite3.connect(runs / "index.db", isolation_level=None)) as events:
        events.execute("PRAGMA journal_mode = WAL")
        events.execute("CREATE TABLE events (id INTEGER)")
        events.execute("INSERT INTO events VALUES (1), (2)")
        yield found


Contents = Callable[[Home], dict[str, bytes]]


@pytest.fixture
def contents() -> Contents:
    """Reads all files of a home by path; of databases their rows, as text."""

    def read(home: Home) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for file in sorted(each for each in home.path.rglob("*") if each.is_file()):
            path = str(file.relative_to(home.path))
            if path.startswith(("clickhouse/", "locks/")) or path.endswith(("-wal", "-shm")):
                continue
            if file.suffix == ".db":
                with closing(sqlite3.connect(file)) as database:
                    found[path] = "\n".join(database.iterdump()).encode()
            else:
                found[path] = file.read_bytes()
        return found

    return read
