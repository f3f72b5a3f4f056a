"""The disk of Dagster's records is full: a command fails, and completes when there is space."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from resources.embedded_clickhouse.lifecycle import stop
from resources.machine.disk_space import RESERVE_VARIABLE
from resources.settings.home import Home
from tests.e2e.commands.test_command_line import LIKE, run
from tests.small_disk import MakeSmallDisk


def test_a_load_whose_events_find_no_room_fails_and_completes_when_there_is_room(
    capsys: pytest.CaptureFixture[str], home: Home, small_disk: MakeSmallDisk, tmp_path: Path
) -> None:
    home.dagster.mkdir(exist_ok=True)
    disk = small_disk(64, at=home.dagster)
    file = tmp_path / "events.ndjson"
    file.write_text(LIKE.format(id="a", value=1) + LIKE.format(id="b", value=-1))
    for room in (0, 150_000, 300_000):
        disk.fill(leave_bytes=room)
        code = run("load", "engagement_events", str(file))
        told = capsys.readouterr()
        assert "Traceback" not in told.err
        assert code == 1 or room > 0
        if code == 1:
            assert "full" in told.err, told.err
        disk.make_room()
    # Loaded; one of two records is rejected.
    assert run("load", "engagement_events", str(file)) in (0, 2)
    capsys.readouterr()
    assert run("sql", "SELECT count() AS n FROM star.fact_engagement", "--format", "json") == 0
    assert json.loads(capsys.readouterr().out) == [{"n": 1}]


@pytest.mark.endurance
def test_a_backfill_that_dbt_finds_no_room_for_fails_and_completes_when_there_is_room(
    capsys: pytest.CaptureFixture[str],
    deployed_home: Callable[[str], Home],
    monkeypatch: pytest.MonkeyPatch,
    small_disk: MakeSmallDisk,
    tmp_path: Path,
) -> None:
    full = deployed_home("full")
    deployed = full.clickhouse.rename(full.path / "deployed")
    full.clickhouse.mkdir()
    disk = small_disk(600, at=full.clickhouse)
    shutil.copytree(deployed, full.clickhouse, symlinks=True, dirs_exist_ok=True)
    monkeypatch.setenv("SOCIAL_ASSETS_HOME", str(full.path))
    monkeypatch.setenv(RESERVE_VARIABLE, "0")
    file = tmp_path / "events.ndjson"
    file.write_text(LIKE.format(id="a", value=1) + LIKE.format(id="b", value=1))
    figures = ("sql", "SELECT sum(events) AS n FROM rollups.engagement_daily", "--format", "json")
    days = ("--from", "2026-11-01", "--to", "2026-11-01")
    try:
        assert run("load", "engagement_events", str(file)) == 0
        for room in (0, 1_000_000):
            disk.fill(leave_bytes=room)
            assert run("backfill", *days, "star/fact_engagement", "rollups/engagement_daily") == 1
            disk.make_room()
        # Checks fail because newer days are absent; the rebuild succeeds.
        assert run("backfill", *days) in (0, 1)
        (made,) = re.findall(r"(\d+) materializations", capsys.readouterr().out)
        assert int(made) > 50
        capsys.readouterr()
        assert run(*figures) == 0
        assert json.loads(capsys.readouterr().out) == [{"n": 2}]
    finally:
        stop(full)
