"""A home that the last release made works with the code of today.

The home is made by that release's own code, taken from the history of the repository, which runs
with today's libraries. It is made anew for each run: no file of an old home is kept as a fixture.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from resources.settings.home import ENVIRONMENT_VARIABLE
from tests.e2e.commands.test_command_line import LIKE

pytestmark = [pytest.mark.endurance, pytest.mark.timeout(1200)]

CHECKOUT = Path(__file__).resolve().parents[2]
LAST_RELEASE = "5b18c75"
"""The last commit of release 0.1.0, which has no tag."""

STREAM = "engagement_events"


@dataclass(frozen=True)
class Release:
    """The commands of one release on one home."""

    checkout: Path
    home: Path

    def run(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        """Run a command, which must end with one of some exit codes; returns what it printed."""
        environment = {name: v for name, v in os.environ.items() if "SOCIAL_ASSETS" not in name}
        environment |= {"PYTHONPATH": str(self.checkout), ENVIRONMENT_VARIABLE: str(self.home)}
        ended = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "social_assets", *arguments],
            cwd=self.checkout,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode in codes, ended.stdout + ended.stderr
        return ended.stdout


@pytest.fixture
def in_home(tmp_path: Path) -> Iterator[Callable[[Path], Release]]:
    """Makes a release of a checkout, all with the same home."""
    releases: list[Release] = []

    def make(checkout: Path) -> Release:
        releases.append(Release(checkout, tmp_path / "home"))
        return releases[-1]

    yield make
    releases[-1].run("stop")


@pytest.fixture
def last_release(tmp_path: Path) -> Path:
    """A checkout of the last release."""
    archived = subprocess.run(
        ["git", "archive", LAST_RELEASE], cwd=CHECKOUT, capture_output=True, check=False
    )
    if archived.returncode != 0:
        pytest.skip(f"no history with {LAST_RELEASE} here: {archived.stderr.decode().strip()}")
    with tarfile.open(fileobj=io.BytesIO(archived.stdout)) as archive:
        archive.extractall(tmp_path / "release", filter="data")
    return tmp_path / "release"


def test_a_home_of_the_last_release_works(
    in_home: Callable[[Path], Release], last_release: Path, tmp_path: Path
) -> None:
    old, new = tmp_path / "old.ndjson", tmp_path / "new.ndjson"
    old.write_text("".join(LIKE.format(id=event, value=1) for event in "aba"))
    new.write_text(LIKE.format(id="c", value=1) + LIKE.format(id="a", value=1))
    before = in_home(last_release)
    before.run("load", STREAM, str(old))
    before.run("stop")

    after = in_home(CHECKOUT)
    assert counts(after) == {"raw": 3, "cleaned": 2, "duplicates": 1, "warehouse": 2}
    again = json.loads(after.run("load", STREAM, str(old), str(new), "--format", "json"))
    assert [file["loaded_before"] for file in again["files"]] == [3, 0]
    whole = {"raw": 5, "cleaned": 3, "duplicates": 2, "warehouse": 3}
    assert counts(after) == whole
    assert facts(after) == 3
    after.run("deploy")
    assert counts(after) == whole
    # Exit code 1, because the checks of freshness fail: the records are of a day long ago.
    rebuilt = after.run("backfill", "star/fact_engagement", f"cleaned/{STREAM}", codes=(0, 1))
    assert "materializations" in rebuilt
    assert counts(after) == whole
    assert facts(after) == 3
    examined = json.loads(after.run("doctor", "--format", "json"))
    assert [each for each in examined if each["health"] not in ("ok", "warn")] == []


IDS = ["007", "18446744073709551615", "UC_x5XG1OV2P6uZZ5FSM9Ttw"]


def test_ids_of_a_home_of_the_last_release_become_text_by_one_deployment(
    in_home: Callable[[Path], Release], last_release: Path, tmp_path: Path
) -> None:
    old, new = tmp_path / "old.ndjson", tmp_path / "new.ndjson"
    numbered = (LIKE.format(id=event, value=1) for event in "abc")
    old.write_text("".join(numbered).replace('"account_id": 1,', '"account_id": 42,'))
    lines = zip("def", IDS, strict=True)
    new.write_text(
        "".join(
            LIKE.format(id=event, value=1).replace(
                '"account_id": 1,', f'"account_id": "{account}",'
            )
            for event, account in lines
        )
    )
    before = in_home(last_release)
    before.run("load", STREAM, str(old))
    facts_before = facts(before)
    accounts_before = asked(before, ACCOUNTS)
    before.run("stop")
    assert (facts_before, accounts_before) == (3, [{"account": "42", "events": 3}])

    after = in_home(CHECKOUT)
    told = after.run("deploy")
    assert "numbers converted to text: star.dim_account_daily (account_id)" in told
    assert asked(after, ACCOUNTS) == accounts_before
    assert asked(after, OVERVIEW) == [{"events": 3}]
    assert asked(after, NUMBERS) == []
    assert counts(after) == {"raw": 3, "cleaned": 3, "duplicates": 0, "warehouse": 3}
    assert "nothing to do" in after.run("deploy")

    after.run("load", STREAM, str(new))
    assert counts(after) == {"raw": 6, "cleaned": 6, "duplicates": 0, "warehouse": 6}
    assert asked(after, ACCOUNTS) == [
        {"account": IDS[0], "events": 1},
        {"account": IDS[1], "events": 1},
        {"account": "42", "events": 3},
        {"account": IDS[2], "events": 1},
    ]
    assert asked(after, OVERVIEW) == [{"events": 6}]


ACCOUNTS = """SELECT toString(account_id) AS account, toInt32(count()) AS events
FROM star.fact_engagement JOIN star.dim_account USING account_key GROUP BY 1 ORDER BY 1"""
OVERVIEW = "SELECT toInt32(sum(events)) AS events FROM rollups.engagement_daily"
NUMBERS = r"""SELECT database, table, name FROM system.columns
WHERE name LIKE '%\_id' AND type LIKE '%Int%' AND database IN ('cleaned', 'star', 'rollups')"""


def asked(release: Release, query: str) -> Any:
    """The rows of a query in the warehouse."""
    return json.loads(release.run("sql", query, "--format", "json"))


def counts(release: Release) -> dict[str, Any]:
    """The rows of the stream by layer, of which none is lost."""
    streams = json.loads(release.run("status", "--format", "json"))["streams"]
    (found,) = (each for each in streams if each["stream"] == STREAM)
    assert found["conserved"] == "yes"
    return {name: found[name] for name in ("raw", "cleaned", "duplicates", "warehouse")}


def facts(release: Release) -> int:
    """The rows of the stream's fact table."""
    (row,) = asked(release, "SELECT count() AS facts FROM star.fact_engagement")
    return int(row["facts"])
