"""Many writers at once, and what a person reads if the operational store cannot be used."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from resources.settings.environments import CONTROL_URL
from resources.settings.home import Home
from social_assets.control.api_keys import ApiKeys
from social_assets.control.engine import open_engine, writing
from social_assets.control.errors import (
    ControlStoreError,
    ControlStoreLockedError,
    ControlStoreUnreachableError,
)
from social_assets.control.migrate import REVISIONS, VERSION_TABLE
from social_assets.operate.doctor.control import control
from social_assets.operate.doctor.diagnostic import Health
from social_assets.operate.doctor.machine import home_folder
from tests.small_disk import MakeSmallDisk

WRITER = """
import sys
from resources.settings.home import Home
from social_assets.control.api_keys import ApiKeys
from social_assets.control.engine import open_engine

keys = ApiKeys(open_engine(Home.from_environment()))
for number in range(int(sys.argv[2])):
    new = keys.create(f"{sys.argv[1]}-{number}")
    assert keys.verify(new.text) is not None
    if number % 2:
        keys.revoke(new.key.id)
"""


def diagnosed(home: Home) -> str:
    """What the doctor says of the store, on one line."""
    (found,) = control(home)
    return f"{found.health.value}: {found.found}: {found.remedy}"


def test_processes_that_write_at_once_lose_nothing(store_home: Home) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITER, f"writer{n}", "20"], stderr=subprocess.PIPE)
        for n in range(3)
    ]
    for process in processes:
        _, error = process.communicate(timeout=180)
        assert process.returncode == 0, error.decode()
    engine = open_engine(store_home)
    keys = ApiKeys(engine).list()
    assert len({key.name for key in keys}) == len(keys) == 60
    assert sum(key.revoked_at is not None for key in keys) == 30
    assert all(key.last_used_at for key in keys)
    engine.dispose()


@contextmanager
def held(home: Home) -> Iterator[None]:
    """Another connection holds the table of keys."""
    engine = open_engine(home)
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE"))
        yield
    engine.dispose()


def test_a_store_that_is_locked_is_named_with_how_to_find_who_holds_it(store_home: Home) -> None:
    impatient = open_engine(store_home, wait_seconds=0.1)
    with held(store_home):
        with pytest.raises(ControlStoreLockedError) as error:
            ApiKeys(impatient).create("reports")
        said = diagnosed(store_home)
    assert any(name in str(error.value) for name in ("fuser", "pg_stat_activity"))
    assert said.startswith("warn: the operational store ")
    assert any(name in said for name in ("database is locked", "lock timeout"))
    impatient.dispose()


def test_a_reader_does_not_wait_for_a_writer(store_home: Home) -> None:
    reader = open_engine(store_home, wait_seconds=0.1)
    writer = open_engine(store_home)
    with writing(writer) as connection:
        connection.execute(text("DELETE FROM api_keys"))
        assert ApiKeys(reader).list() == []
    reader.dispose()
    writer.dispose()


def test_a_transaction_that_fails_changes_nothing(store_home: Home) -> None:
    engine = open_engine(store_home)
    keys = ApiKeys(engine)
    keys.create("reports")
    with pytest.raises(ZeroDivisionError), writing(engine) as connection:
        connection.execute(text("DELETE FROM api_keys"))
        raise ZeroDivisionError
    assert [key.name for key in keys.list()] == ["reports"]
    engine.dispose()


def test_a_file_that_is_no_store_is_left_as_it_is_and_named(sqlite_home: Home) -> None:
    file = sqlite_home.control / "control.db"
    file.parent.mkdir(parents=True)
    file.write_text("these are my notes, which are longer than a header" * 100)
    file.chmod(0o600)
    with pytest.raises(ControlStoreError, match="file is not a database") as error:
        open_engine(sqlite_home)
    assert f"{file}: " in str(error.value)
    assert "restore it from a backup" in str(error.value)
    assert file.read_text().startswith("these are my notes")
    assert "error: " in diagnosed(sqlite_home)


def test_a_damaged_file_is_named(sqlite_home: Home) -> None:
    engine = open_engine(sqlite_home)
    keys = ApiKeys(engine)
    for number in range(100):
        keys.create(f"key {number}")
    engine.dispose()
    file = sqlite_home.control / "control.db"
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    file.write_bytes(content)
    with pytest.raises(ControlStoreError, match="the file is damaged"):
        ApiKeys(open_engine(sqlite_home)).list()


def test_a_full_disk_is_named_and_the_keys_before_it_stay(
    sqlite_home: Home, small_disk: MakeSmallDisk
) -> None:
    sqlite_home.control.mkdir(parents=True)
    disk = small_disk(4, at=sqlite_home.control)
    engine = open_engine(sqlite_home)
    keys = ApiKeys(engine)
    kept = keys.create("before")
    disk.fill(leave_bytes=0)
    with pytest.raises(ControlStoreUnreachableError, match="make room"):
        for number in range(1000):
            keys.create(f"{number}" * 50)
    disk.make_room()
    assert keys.verify(kept.text) is not None
    assert keys.create("after").key.name == "after"
    engine.dispose()


def test_a_server_that_refuses_the_password_is_named_without_it(
    postgres_database: str, sqlite_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, place = postgres_database.rpartition("@")
    monkeypatch.setenv(CONTROL_URL, f"postgresql://dagster:hunter2secret@{place}")
    with pytest.raises(ControlStoreUnreachableError, match="authentication failed") as error:
        open_engine(sqlite_home)
    assert CONTROL_URL in str(error.value)
    assert "hunter2secret" not in f"{error.value!r} {error.value.__cause__!r}"
    assert "hunter2secret" not in diagnosed(sqlite_home)


def test_a_user_without_rights_is_told_which(
    postgres_database: str, sqlite_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONTROL_URL, postgres_database)
    engine = open_engine(sqlite_home)
    role = f"reader_{postgres_database.rpartition('_')[2]}"
    with writing(engine) as connection:
        connection.execute(text(f"CREATE ROLE {role} LOGIN PASSWORD 'reader'"))
    _, _, place = postgres_database.rpartition("@")
    monkeypatch.setenv(CONTROL_URL, f"postgresql://{role}:reader@{place}")
    with pytest.raises(ControlStoreError, match="permission denied") as error:
        open_engine(sqlite_home)
    assert "GRANT the user of the URL" in str(error.value)
    engine.dispose()


def test_a_server_that_restarts_is_used_again_without_an_error(
    postgres_database: str, sqlite_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONTROL_URL, postgres_database)
    engine, other = open_engine(sqlite_home), open_engine(sqlite_home)
    keys = ApiKeys(engine)
    keys.create("before")
    with writing(other) as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid != pg_backend_pid()"
            )
        )
    assert [key.name for key in keys.list()] == ["before"]
    engine.dispose()
    other.dispose()


def test_the_doctor_makes_no_store_and_names_its_revision_once_there_is_one(
    sqlite_home: Home,
) -> None:
    assert "control.db yet: the first command that needs it makes it" in diagnosed(sqlite_home)
    assert not sqlite_home.path.exists()
    open_engine(sqlite_home).dispose()
    (found,) = control(sqlite_home)
    assert found.health is Health.OK
    assert found.found.endswith(f"control.db, revision {REVISIONS[-1]}")


def test_the_doctor_names_a_newer_store(store_home: Home) -> None:
    engine = open_engine(store_home)
    with writing(engine) as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    assert diagnosed(store_home).startswith("error: the operational store ")
    assert "install that release here too" in diagnosed(store_home)
    engine.dispose()


def test_the_doctor_names_a_server_that_does_not_answer(
    sqlite_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONTROL_URL, "postgresql://me:hunter2secret@127.0.0.1:9/social")
    said = diagnosed(sqlite_home)
    assert "at 127.0.0.1:9, database social: connection to server" in said
    assert "hunter2secret" not in said
    monkeypatch.setenv(CONTROL_URL, "postgresql://me:hunter2@secret@127.0.0.1/social")
    assert f"correct {CONTROL_URL}" in diagnosed(sqlite_home)
    assert "secret@" not in diagnosed(sqlite_home)


@pytest.mark.parametrize("name", ["control.db", "secret.key"])
def test_the_doctor_names_a_file_of_the_store_that_others_can_read(
    name: str, sqlite_home: Home
) -> None:
    sqlite_home.control.mkdir(parents=True)
    file = sqlite_home.control / name
    file.touch(mode=0o644)
    file.chmod(0o644)
    assert f"chmod 600 {file}" in [found.remedy for found in home_folder(sqlite_home)]


def test_the_file_is_in_wal_mode(sqlite_home: Home) -> None:
    open_engine(sqlite_home).dispose()
    file = sqlite3.connect(sqlite_home.control / "control.db")
    assert file.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    file.close()
