"""`social-assets` as a person uses it: help, exit codes, errors of one line, real loads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from resources.settings.home import Home
from social_assets.cli.main import main
from social_assets.contracts.registry import contract

LIKE = (
    '{{"event_id": "{id}", "event_time": "2026-11-01T10:00:00Z", "account_id": 1, '
    '"post_id": "p1", "user_id": "u1", "metric_type": "like", "value": {value}}}\n'
)


def run(*arguments: str) -> int:
    """The exit code of a command."""
    try:
        main(list(arguments))
    except SystemExit as stopped:
        return int(stopped.code or 0)
    return 0


def test_help_names_every_command(capsys: pytest.CaptureFixture[str], home: Home) -> None:
    assert run("--help") == 0
    text = capsys.readouterr().out
    for command in ("backfill", "demo", "load", "serve-clickhouse", "sql", "status", "streams"):
        assert command in text


def test_an_unknown_stream_is_a_wrong_command(
    capsys: pytest.CaptureFixture[str], home: Home, tmp_path: Path
) -> None:
    assert run("load", "likes", str(tmp_path / "f.ndjson")) == 2
    assert "no stream 'likes'; the streams are audience, comments, " in capsys.readouterr().err


def test_a_date_that_is_no_date_is_a_wrong_command(
    capsys: pytest.CaptureFixture[str], home: Home
) -> None:
    assert run("load", "posts", "f.ndjson", "--date", "2026-02-30") == 2
    assert "'2026-02-30' is no date" in capsys.readouterr().err


def test_a_home_inside_the_checkout_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    inside = Path(__file__).resolve().parents[3] / "state"
    assert run("--home", str(inside), "streams") == 2
    assert "outside" in capsys.readouterr().err


def test_streams_lists_columns_with_their_rules(
    capsys: pytest.CaptureFixture[str], home: Home
) -> None:
    assert run("streams", "--format", "json") == 0
    found = {each["stream"]: each for each in json.loads(capsys.readouterr().out)}
    videos, posts = found["video_interactions"], found["posts"]
    (age,) = [column for column in videos["columns"] if column["column"] == "age"]
    assert age["rules"] == "in_range(13, 100)"
    assert posts["time_column"] is None
    assert found["engagement_events"]["time_column"] == "event_time"
    assert posts["formats"] == list(contract("posts").formats)
    assert posts["key"] == list(contract("posts").key)


def test_streams_shows_formats_key_and_time_column(
    capsys: pytest.CaptureFixture[str], home: Home
) -> None:
    assert run("streams") == 0
    (line,) = [x for x in capsys.readouterr().out.splitlines() if x.startswith("posts ")]
    for shown in (*contract("posts").formats, *contract("posts").key):
        assert shown in line
    assert run("streams", "engagement_events") == 0
    assert "time column event_time" in capsys.readouterr().out
    assert run("streams", "likes") == 2


def test_loading_shows_rows_in_as_cleaned_duplicates_and_rejected(
    capsys: pytest.CaptureFixture[str], home: Home, tmp_path: Path
) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text(
        LIKE.format(id="a", value=1) + LIKE.format(id="a", value=2) + LIKE.format(id="b", value=-1)
    )
    assert run("load", "engagement_events", str(file)) == 2
    assert run("load", "engagement_events", str(file)) == 0
    capsys.readouterr()
    assert run("status", "--format", "json") == 0
    streams = json.loads(capsys.readouterr().out)["streams"]
    (row,) = [s for s in streams if s["stream"] == "engagement_events"]
    counts = (row["raw"], row["cleaned"], row["duplicates"], row["rejected"], row["warehouse"])
    assert counts == (3, 1, 1, 1, 1)
    assert row["conserved"] == "yes"
    assert (
        run("sql", "SELECT sum(value) AS likes FROM star.fact_engagement", "--format", "json") == 0
    )
    assert json.loads(capsys.readouterr().out) == [{"likes": 1.0}]


def test_a_bad_file_fails_with_its_name_and_reason(
    capsys: pytest.CaptureFixture[str], home: Home, tmp_path: Path
) -> None:
    file = tmp_path / "wrong.csv"
    file.write_text("Name,Height\nx,1\n")
    assert run("load", "video_interactions", str(file)) == 1
    text = capsys.readouterr().err
    assert "wrong.csv, row 1" in text
    assert "its header lacks user_id, age, video_id" in text


def test_a_query_that_is_wrong_fails_with_clickhouses_words(
    capsys: pytest.CaptureFixture[str], home: Home
) -> None:
    assert run("sql", "SELECT * FROM nowhere.nothing") == 1
    assert "nowhere" in capsys.readouterr().err
