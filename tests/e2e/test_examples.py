"""The examples work as their page says. `test_artifact` runs the consumer of a published model."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from resources.settings.home import Home
from tests.e2e.commands.test_command_line import LIKE, run

CHECKOUT = Path(__file__).resolve().parents[2]
EXAMPLES = CHECKOUT / "examples"
PAGE = (EXAMPLES / "README.md").read_text()


def test_the_page_names_every_example() -> None:
    kept = {path.name for path in EXAMPLES.iterdir() if not path.name.startswith(("README", "__"))}
    assert {name for name in kept if name not in PAGE} == set()


def test_the_notebook_runs_from_top_to_bottom(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text("".join(LIKE.format(id=name, value=1) for name in "aabc") + "{}\n")
    assert run("load", "engagement_events", str(file)) == 2
    monkeypatch.setenv("MPLBACKEND", "agg")
    cells = json.loads((EXAMPLES / "engagement_by_day.ipynb").read_text())["cells"]
    names: dict[str, object] = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)
            exec("".join(cell["source"]), names)  # noqa: S102
    assert names["records"].sum().to_dict() == {"accepted": 3, "quarantined": 2}  # type: ignore[attr-defined]
    (row,) = names["daily"].to_dict("records")  # type: ignore[attr-defined]
    assert (row["metric_type"], row["events"], row["users"]) == ("like", 3, 1)


@pytest.mark.endurance
def test_a_stream_of_ones_own_loads_as_the_page_says(home: Home) -> None:
    own = PAGE.partition("## A stream of your own\n")[2].partition("\n## ")[0]
    (commands,) = re.findall(r"^```\n(.*?)^```", own, re.DOTALL | re.MULTILINE)
    done = subprocess.run(
        ["bash", "-euc", commands],
        cwd=CHECKOUT,
        env={**os.environ, "SOCIAL_ASSETS_HOME": str(home.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    counts = [line.split() for line in done.stdout.splitlines() if "direct_messages" in line]
    assert ["direct_messages", "4", "2", "1", "1", "2"] in counts
    assert "length_greater_than_or_equal_to" in done.stdout
