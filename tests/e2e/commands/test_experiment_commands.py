"""`social-assets experiments`: from a file of exposures to what to do."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.settings.home import Home
from resources.settings.variables import EXPERIMENTS
from social_assets.recommend.experiments.registry import experiments
from tests.e2e.commands.test_command_line import run

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "experiments"
USERS = 60


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The example of an experiment of one's own is declared."""
    monkeypatch.setenv(EXPERIMENTS, str(EXAMPLES))
    experiments.cache_clear()
    yield
    experiments.cache_clear()


def likes(file: Path) -> str:
    """Each user likes a post a day after the exposure; a last event closes the last day."""
    rows = [(f"u{n}", "2026-02-03T12:00:00Z", 1 + n % 3) for n in range(USERS)]
    rows.append(("last", "2026-02-20T12:00:00Z", 1))
    lines = [
        json.dumps(
            {
                "event_id": user,
                "event_time": at,
                "platform": "x",
                "account_id": "1",
                "post_id": "p1",
                "user_id": user,
                "metric_type": "like",
                "value": value,
            }
        )
        for user, at, value in rows
    ]
    file.write_text("\n".join(lines) + "\n")
    return str(file)


def test_assigned_users_are_exposed_loaded_and_analyzed(
    home: Home, declared: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("experiments", "assign", "home_feed", *(f"u{n}" for n in range(USERS))) == 0
    assigned = capsys.readouterr().out
    assert {line.split()[1] for line in assigned.splitlines()} == {"als", "graph_filter"}
    written = subprocess.run(
        [sys.executable, str(EXAMPLES / "_write_exposures.py"), "home_feed", "2026-02-03"],
        input=assigned,
        capture_output=True,
        text=True,
        check=True,
    )
    exposures = tmp_path / "exposures.ndjson"
    exposures.write_text(written.stdout)
    assert run("load", "experiment_exposures", str(exposures)) == 0
    assert run("load", "engagement_events", likes(tmp_path / "likes.ndjson")) == 0

    capsys.readouterr()
    assert run("experiments", "list", "--format", "json") == 0
    [listed] = json.loads(capsys.readouterr().out)
    assert (listed["experiment"], listed["recommendation"]) == ("home_feed", "not analyzed yet")
    assert run("experiments", "analyze", "home_feed", "--format", "json") == 0
    [found] = json.loads(capsys.readouterr().out)
    assert sum(found["exposed"].values()) == USERS
    assert found["action"] == "go on"
    assert "at least 100 are needed" in found["reason"]
    assert {row["metric"] for row in found["results"]} >= {"weighted_engagement"}
    assert run("experiments", "analyze") == 0
    assert "home_feed, up to 2026-02-19: go on" in capsys.readouterr().out


def test_an_experiment_that_is_not_declared_is_named_with_those_that_are(
    home: Home, declared: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("experiments", "assign", "nope", "u1") == 1
    assert "no experiment 'nope'; the experiments are home_feed" in capsys.readouterr().err


def test_units_that_find_a_lift_are_computed_or_refused(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("experiments", "size", "2", "3", "0.05") == 0
    assert "54,108" in capsys.readouterr().out
    assert run("experiments", "size", "0", "3", "0.05") == 2
    assert "must be above 0" in capsys.readouterr().err
