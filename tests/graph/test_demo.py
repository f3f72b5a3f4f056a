"""The demonstration as a person runs it: what it shows at its end, what it says of a failure."""

from __future__ import annotations

import subprocess
import sys

import pytest

from resources.clickhouse.resource import URL_VARIABLE
from resources.settings.home import Home
from social_assets.demo.run_demo import _train
from social_assets.operate.runs.failures import RunFailedError

pytestmark = [pytest.mark.timeout(600), pytest.mark.endurance]


def test_the_demo_ends_with_what_both_of_its_runs_made(home: Home) -> None:
    command = [sys.executable, "-W", "ignore", "-m", "social_assets", "--home", str(home.path)]
    shown = subprocess.run(
        [*command, "demo", "--events", "20000", "--days", "8"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert any("recsys/top_n_items_are_known: done" in line for line in lines)
    assert any(line.startswith("Recommended to user") for line in lines)
    assert lines[-1].startswith("Done in ")


def test_a_training_that_fails_is_told_with_its_reason(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URL_VARIABLE, "http://default:x@127.0.0.1:9")
    with pytest.raises(RunFailedError, match=r"(?s)could not be trained.*127\.0\.0\.1:9"):
        _train(home, lambda _: None)
