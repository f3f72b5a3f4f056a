"""`social-assets load`: counts of each file, rejects by rule and day, refused arguments."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.cli.main import main
from social_assets.cli.printing import terminal
from tests.e2e.commands.test_command_line import LIKE


def run(*arguments: str) -> int:
    """The exit code of a command."""
    with pytest.raises(SystemExit) as ending:
        main(list(arguments))
    return int(ending.value.code or 0)


def test_a_load_counts_its_own_files_and_names_one_that_failed(
    capsys: pytest.CaptureFixture[str],
    home: Home,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "one.ndjson").write_text(
        LIKE.format(id="a", value=1) + LIKE.format(id="a", value=2) + LIKE.format(id="b", value=-1)
    )
    monkeypatch.setattr(
        "sys.stdin", SimpleNamespace(buffer=io.BytesIO(LIKE.format(id="c", value=1).encode()))
    )
    assert run("load", "engagement_events", str(folder), "-", "--format", "json") == 2
    shown = capsys.readouterr()
    told = json.loads(shown.out)
    assert (
        "1 of 4 records of engagement_events are rejected (25.0%), more than the 5.0%" in shown.err
    )
    one, stdin = told["files"]
    assert counts(one) == (3, 1, 1, 1, 0)
    assert counts(stdin) == (1, 1, 0, 0, 0)
    (rejected,) = told["rejected"]
    assert rejected["event_date"] == "2026-11-01"
    assert rejected["rule"].startswith("value_")
    assert (rejected["example"], rejected["origin"], rejected["row"]) == ("-1", "one.ndjson", 3)
    assert list((home.path / "spool").iterdir()) == []

    (folder / "two.ndjson").write_text(LIKE.format(id="d", value=1))
    bad = tmp_path / "bad.csv"
    bad.write_text("x\n")
    assert run("load", "engagement_events", f"{folder}/*", str(bad)) == 1
    shown = capsys.readouterr()
    lines = {line.split()[0]: line.split()[1:] for line in shown.out.splitlines() if line.strip()}
    assert lines["one.ndjson"] == ["0", "0", "0", "0", "3"]
    assert lines["two.ndjson"] == ["1", "1", "0", "0", "0"]
    assert lines["bad.csv"] == ["FAILED", "0", "0", "0", "0", "0"]
    assert "bad.csv: .csv is no format of engagement_events" in shown.err
    assert "two.ndjson: 1 records" in shown.out


@pytest.mark.parametrize("form", ["table", "json"])
def test_a_closed_pipe_neither_stops_a_load_nor_hides_its_failure(
    form: str, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in `load FILES | head -1`."""
    good, bad = tmp_path / "good.ndjson", tmp_path / "bad.csv"
    good.write_text(LIKE.format(id=f"piped {form}", value=1))
    bad.write_text("x\n")
    with closed_pipe() as output:
        monkeypatch.setattr("sys.stdout", output)
        # The console stays quiet once its reader has gone; other tests of this process print.
        monkeypatch.setattr(terminal.out, "quiet", False)
        assert run("load", "engagement_events", str(good), str(bad), "--format", form) == 1
        assert run("load", "engagement_events", str(good), "--format", form) == 0
        monkeypatch.undo()
    with ClickHouseResource().client() as client:
        query = "SELECT count() FROM cleaned.engagement_events WHERE event_id = {id:String}"
        assert client.command(query, parameters={"id": f"piped {form}"}) == 1


@contextmanager
def closed_pipe() -> Iterator[io.TextIOWrapper]:
    """Standard output whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as output:
        yield output
        # What is still in the buffer can go nowhere.
        discard(output)


def discard(output: io.TextIOWrapper) -> None:
    """Let the file be closed without an error."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, output.fileno())
    os.close(nowhere)


def counts(file: dict[str, int]) -> tuple[int, ...]:
    """The counts of one file in the report."""
    names = ("records", "accepted", "duplicates", "rejected", "loaded_before")
    return tuple(file[name] for name in names)


def test_a_mistyped_file_is_refused_before_a_run_starts(
    capsys: pytest.CaptureFixture[str], home: Home, tmp_path: Path
) -> None:
    new = tmp_path / "new-home"
    assert run("--home", str(new), "load", "posts", str(tmp_path / "f.csv")) == 2
    assert f"no such file: {tmp_path / 'f.csv'}" in capsys.readouterr().err
    assert not new.exists()


def test_a_load_that_accepts_nothing_says_why_and_ends_with_2(
    capsys: pytest.CaptureFixture[str], home: Home, tmp_path: Path
) -> None:
    file = tmp_path / "wrong.ndjson"
    file.write_text(LIKE.format(id="w", value=-7) + LIKE.format(id="v", value=-8) + "no json\n")
    assert run("load", "engagement_events", str(file)) == 2
    told = capsys.readouterr().err
    assert "Error: nothing was accepted: 3 of 3 records of engagement_events are rejected" in told
    reasons = [line for line in told.splitlines() if ", such as " in line]
    assert "2 records, such as '-7' (wrong.ndjson, row 1)" in reasons[0]
    assert any("such as 'no json' (wrong.ndjson, row 3)" in line for line in reasons)
    assert "social-assets quarantine engagement_events" in told
    # What was loaded before fails nothing.
    assert run("load", "engagement_events", str(file)) == 0


def test_a_file_is_dated_by_its_name_as_in_landing_and_a_bad_name_fails_alone(
    capsys: pytest.CaptureFixture[str], home: Home, tmp_path: Path
) -> None:
    row = "user_id,age,video_id\n{user},30,101\n"
    (tmp_path / "x_2026-11-20.csv").write_text(row.format(user=91))
    latin = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9_2026-11-21.csv"))
    latin.write_text(row.format(user=92))
    assert run("load", "video_interactions", str(tmp_path)) == 1
    assert "caf\\xe9_2026-11-21.csv: its path is not UTF-8; rename it" in capsys.readouterr().err
    query = "SELECT event_date FROM cleaned.video_interactions WHERE user_id = '91'"
    with ClickHouseResource().client() as client:
        assert str(client.command(query)) == "2026-11-20"


def test_a_failed_file_is_listed_until_it_is_acknowledged(
    capsys: pytest.CaptureFixture[str], home: Home, tmp_path: Path
) -> None:
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    assert run("load", "video_interactions", str(tmp_path / "bad.csv")) == 1
    assert run("failed-files", "video_interactions", "bad.csv", "--format", "json") == 0
    listed = capsys.readouterr().out
    assert "bad.csv" in listed
    assert run("alerts", "show") == 0
    shown = capsys.readouterr().out
    assert "file bad.csv of video_interactions could not be loaded" in shown
    assert "load_files" not in shown  # the run that failed for this file alone has no alert
    assert run("failed-files", "video_interactions", "bad.csv", "--acknowledge") == 0
    assert run("failed-files", "video_interactions", "bad.csv") == 2


def test_a_load_from_landing_that_accepts_nothing_fails_its_run_and_says_why(
    home: Home, tmp_path: Path
) -> None:
    from dagster import DagsterInstance

    from social_assets.defs.ingestion.jobs.load_job import run_config
    from social_assets.operate.runs.locations import Location

    folder = home.landing / "engagement_events"
    folder.mkdir(parents=True)
    (folder / "bad.ndjson").write_text(LIKE.format(id="n", value=-7))
    with DagsterInstance.ephemeral() as instance:
        result = (
            Location.STREAMING.definitions()
            .resolve_job_def("load_files")
            .execute_in_process(
                instance=instance,
                run_config=run_config("engagement_events"),
                raise_on_error=False,
            )
        )
    (failure,) = result.get_step_failure_events()
    described = failure.step_failure_data.user_failure_data
    assert described is not None
    assert "nothing was accepted: 1 of 1 records" in str(described.description)
    assert [path.name for path in (folder / "loaded").glob("*.ndjson")] == ["bad.ndjson"]
