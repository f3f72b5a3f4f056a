"""The command line with a lake on S3: load, doctor, rebuild, and what an absent bucket prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.embedded_clickhouse.lifecycle import stop
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from resources.settings.lake_root import LAKE_URL
from tests.conftest import DeployedHome

pytestmark = pytest.mark.s3

LIKE = (
    '{{"event_id": "{id}", "event_time": "2026-11-01T10:00:00Z", "platform": "X", "account_id": 1,'
    ' "post_id": "p", "user_id": "u", "metric_type": "like", "value": {value}}}\n'
)


@pytest.fixture
def home(
    deployed_home: DeployedHome, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Home]:
    home = deployed_home("s3")
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(home.path))
    monkeypatch.setenv(LAKE_URL, f"{bucket}/commands")
    yield home
    stop(home)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "social_assets", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)


def test_records_are_loaded_counted_and_rebuilt(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "likes.ndjson"
    file.write_text("".join(LIKE.format(id=n, value=1) for n in (1, 2, 2)))
    loaded = run("load", "engagement_events", str(file), "--format", "json")
    assert loaded.returncode == 0, loaded.stderr
    (told,) = json.loads(loaded.stdout)["files"]
    assert (told["records"], told["accepted"], told["duplicates"]) == (3, 2, 1)
    checked = run("doctor")
    assert f"{os.environ[LAKE_URL]}: records of engagement_events" in checked.stdout
    assert not home.lake.exists(), "nothing is left on this machine"
    backfilled = run("backfill", "--from", "2026-11-01", "--to", "2026-11-01")
    # The records are old, which checks of freshness tell.
    assert backfilled.returncode == 0 or "the days are made anew" in backfilled.stderr
    counted = run("sql", "SELECT count() FROM star.fact_engagement")
    assert counted.stdout.split()[-1] == "2", counted.stderr


def test_an_absent_bucket_is_one_line_with_what_to_do(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LAKE_URL, "s3://absent-bucket/lake")
    file = tmp_path / "likes.ndjson"
    file.write_text(LIKE.format(id=1, value=1))
    loaded = run("load", "engagement_events", str(file))
    assert loaded.returncode != 0
    assert "NoSuchBucket" in loaded.stderr
    assert "Create the bucket, or correct SOCIAL_ASSETS_LAKE_URL" in loaded.stderr
    assert "Traceback" not in loaded.stderr
