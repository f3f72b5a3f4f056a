"""An operational store in PostgreSQL is in a backup, and in an empty database after a restore."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from resources.settings.environments import CONTROL_URL
from resources.settings.home import Home
from social_assets.control.engine import open_engine
from social_assets.control.secrets.encrypted_secrets import EncryptedSecrets
from social_assets.operate.disaster.backup import make_backup
from social_assets.operate.disaster.manifest import BackupError
from social_assets.operate.disaster.restore import restore
from tests.integration.operate.disaster.conftest import UsedHome, told


@pytest.fixture
def empty_database(postgres: str) -> Iterator[str]:
    """The URL of another empty database of the same server."""
    name = f"test_{secrets.token_hex(6)}"
    server = psycopg2.connect(postgres)
    server.autocommit = True
    with server.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    yield postgres.rpartition("/")[0] + f"/{name}"
    with server.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
    server.close()


def test_a_store_in_postgres_is_restored_into_an_empty_database(
    used: UsedHome,
    postgres_database: str,
    empty_database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(CONTROL_URL, postgres_database)
    engine = open_engine(used.home)
    EncryptedSecrets(engine, used.home).put("token", "in-postgres")
    engine.dispose()
    made = make_backup(used.home, str(used.target), told.append, with_secret_key=True).backup
    assert made.files[0].path == "postgres/control.dump"
    new = Home(tmp_path / "new")
    monkeypatch.delenv(CONTROL_URL)
    with pytest.raises(BackupError, match=f"set {CONTROL_URL} to the URL of an empty one"):
        restore(new, str(used.target), told.append)
    monkeypatch.setenv(CONTROL_URL, postgres_database)
    with pytest.raises(BackupError, match=r"already exists.*name an empty database"):
        restore(new, str(used.target), told.append)
    assert not list(new.path.iterdir())
    monkeypatch.setenv(CONTROL_URL, empty_database)
    restore(new, str(used.target), told.append)
    engine = open_engine(new)
    assert EncryptedSecrets(engine, new).get("token").value == "in-postgres"
    engine.dispose()
    assert not (new.path / "postgres").exists()


def test_a_backup_with_files_is_not_restored_beside_a_database(
    used: UsedHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used.back_up()
    monkeypatch.setenv(CONTROL_URL, "postgresql://u:secret@127.0.0.1:1/x")
    with pytest.raises(BackupError, match=f"{CONTROL_URL} is set, and the backup"):
        restore(Home(tmp_path / "new"), str(used.target), told.append)
    with pytest.raises(BackupError, match=r"pg_dump .* failed: .* no backup was made") as refusal:
        used.back_up()
    assert "secret" not in str(refusal.value)
