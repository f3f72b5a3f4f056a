"""The search for secrets finds them in files, in compressed texts of a database, in lake tables."""

from __future__ import annotations

import sqlite3
import zlib
from pathlib import Path

import pytest

from bench.collection.leaked_secrets import leaks
from resources.settings.home import ENVIRONMENT_VARIABLE, Home

TOKEN = "IGAAhunter2"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path))
    monkeypatch.delenv("SOCIAL_ASSETS_LAKE_URL", raising=False)
    return Home(tmp_path)


def test_a_token_in_a_log_is_found_and_not_told(home: Home) -> None:
    (home.path / "logs").mkdir()
    (home.path / "logs" / "run.log").write_text(f"GET /me?access_token={TOKEN}")
    (found,) = leaks(home, {TOKEN, "another"})
    assert found == "logs/run.log holds a secret"


def test_a_token_in_a_compressed_text_of_a_database_is_found(home: Home) -> None:
    with sqlite3.connect(home.path / "runs.db") as database:
        database.execute("CREATE TABLE snapshots (body BLOB)")
        database.execute("INSERT INTO snapshots VALUES (?)", [zlib.compress(TOKEN.encode())])
    assert leaks(home, {TOKEN}) == ["runs.db holds a secret"]


def test_a_home_without_tokens_has_no_leak(home: Home) -> None:
    (home.path / "run.log").write_text("GET /me")
    assert leaks(home, {TOKEN}) == []
