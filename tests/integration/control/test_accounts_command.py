"""`social-assets track`, `untrack` and `accounts` on a real store."""

from __future__ import annotations

import json
import multiprocessing
from datetime import timedelta
from pathlib import Path

import pytest

from resources.settings.home import Home
from social_assets.cli.main import main
from social_assets.control.accounts import Account
from social_assets.control.collection.schedule import CollectionPlan, PlanChange, Priority
from social_assets.control.collection.tracked_account import Collected
from social_assets.control.collection.tracked_accounts import TrackedAccounts
from social_assets.control.engine import open_engine
from social_assets.control.schema import now

Output = pytest.CaptureFixture[str]


def ended(*arguments: str) -> int:
    """The exit code of a command."""
    with pytest.raises(SystemExit) as ending:
        main(list(arguments))
    return int(ending.value.code or 0)


def stored(home: Home) -> TrackedAccounts:
    return TrackedAccounts(open_engine(home))


def test_accounts_are_tracked_listed_and_untracked(store_home: Home, capsys: Output) -> None:
    assert ended("track", "instagram:@natgeo", "--priority", "high") == 0
    assert "tracked Instagram:natgeo: every 1m, all again once a day at 02:00 UTC" in (
        capsys.readouterr().out
    )
    assert ended("track", "x:nasa", "youtube:UCx", "--every", "6h") == 0
    assert "tracked 2 accounts: 2 new, 0 changed, 0 as before" in capsys.readouterr().out

    assert ended("accounts", "--format", "json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(r["platform"], r["account"], r["priority"], r["every_seconds"]) for r in rows] == [
        ("Instagram", "natgeo", "high", None),
        ("X", "nasa", "standard", 21_600),
        ("YouTube", "UCx", "standard", 21_600),
    ]
    assert ended("accounts", "--platform", "x") == 0
    (_, line) = capsys.readouterr().out.splitlines()
    assert line.split() == ["X:nasa", "every", "6h", "never", "now"]

    assert ended("untrack", "x:@nasa", "YouTube:UCx") == 0
    assert [each.name for each in stored(store_home).list()] == ["natgeo"]


def test_an_option_that_is_not_given_leaves_the_plan(store_home: Home) -> None:
    assert ended("track", "x:nasa", "--every", "5m", "--time-zone", "Europe/Berlin") == 0
    assert ended("track", "x:nasa", "--refresh-at", "04:00") == 0
    expected = CollectionPlan(Priority.STANDARD, timedelta(minutes=5), "04:00", "Europe/Berlin")
    assert stored(store_home).get("X", "nasa").plan == expected
    assert ended("track", "x:nasa", "--priority", "LOW") == 0
    assert stored(store_home).get("X", "nasa").plan.interval == timedelta(days=1)


def test_a_file_is_tracked_whole_and_its_lines_come_before_the_options(
    store_home: Home, tmp_path: Path, capsys: Output
) -> None:
    file = tmp_path / "accounts.csv"
    file.write_text("platform,account,priority\ninstagram,natgeo,high\nx,nasa,\n")
    assert ended("track", "--file", str(file), "--priority", "low") == 0
    plans = {each.name: each.plan.priority for each in stored(store_home).list()}
    assert plans == {"natgeo": Priority.HIGH, "nasa": Priority.LOW}
    file.write_text("platform,account,priority\ninstagram,natgeo,high\nx,nasa,high\nx,esa,\n")
    assert ended("track", "--file", str(file)) == 0
    assert "tracked 3 accounts: 1 new, 1 changed, 1 as before" in capsys.readouterr().out


@pytest.mark.usefixtures("sqlite_home")
def test_a_file_with_one_bad_line_tracks_nothing(tmp_path: Path, capsys: Output) -> None:
    file = tmp_path / "accounts.csv"
    file.write_text("platform,account\nx,nasa\nmyspace,tom\n")
    assert ended("track", "x:esa", "--file", str(file)) == 2
    assert f"{file}:3: no connector for 'myspace'; there are Facebook, Instagram, TikTok" in (
        capsys.readouterr().err
    )
    assert ended("track", "x:esa", "myspace:tom") == 2
    assert ended("track") == 2
    assert not Path(tmp_path / "ho me% ü" / "control").exists()


def test_an_unknown_name_untracks_nothing_and_the_error_names_the_list(
    store_home: Home, capsys: Output
) -> None:
    assert ended("track", "x:nasa") == 0
    assert ended("untrack", "x:nasa", "x:nosa") == 2
    assert "X:nosa is not tracked" in (said := capsys.readouterr().err)
    assert "`social-assets accounts`" in said
    assert ended("track", "x:nosa", "--resume") == 2
    assert [each.name for each in stored(store_home).list()] == ["nasa"]


def test_a_pause_is_shown_and_ended(store_home: Home, capsys: Output) -> None:
    assert ended("track", "x:nasa") == 0
    accounts = stored(store_home)
    accounts.ensure_endpoints("X", "nasa", [("posts", False)])
    accounts.finish([Collected("X", "nasa", "posts", "", None, None, now(), "the page is cut")])
    assert ended("accounts") == 0
    assert "the page is cut" in capsys.readouterr().out
    accounts.pause("X", "nasa", "its token was revoked")
    assert ended("accounts") == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.split(maxsplit=4) == [
        "X:nasa",
        "standard",
        "never",
        "paused",
        "its token was revoked",
    ]
    assert ended("track", "x:nasa", "--priority", "high") == 0
    assert "it is paused: its token was revoked; `track X:nasa --resume`" in (
        capsys.readouterr().out
    )
    assert ended("track", "x:nasa", "--resume") == 0
    assert stored(store_home).get("X", "nasa").paused_at is None
    assert [each.endpoint for each in accounts.due("X", now(), 9)] == ["posts"]


@pytest.mark.usefixtures("sqlite_home")
def test_an_empty_list_says_how_to_begin(capsys: Output) -> None:
    assert ended("track", "x:nasa") == 0
    assert ended("untrack", "x:nasa") == 0
    assert ended("accounts") == 0
    assert "no account is tracked; `social-assets track instagram:natgeo`" in (
        capsys.readouterr().out
    )


def _track_many(home: Home, priority: Priority) -> None:
    accounts = [Account("X", f"a{n}") for n in range(2_000)]
    stored(home).track_all((each, PlanChange(priority)) for each in accounts)


def test_two_processes_that_track_the_same_accounts_both_succeed(store_home: Home) -> None:
    open_engine(store_home).dispose()
    spawn = multiprocessing.get_context("spawn")
    started = [
        spawn.Process(target=_track_many, args=(store_home, priority))
        for priority in (Priority.HIGH, Priority.LOW)
    ]
    for each in started:
        each.start()
    for each in started:
        each.join()
        assert each.exitcode == 0
    found = stored(store_home).list("X")
    assert len(found) == 2_000
    # The later one counts for all.
    assert len({each.plan.priority for each in found}) == 1
