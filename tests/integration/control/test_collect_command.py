"""`social-assets collect` of accounts that it cannot collect, or of none: on a real store."""

from __future__ import annotations

import pytest

from resources.settings.home import Home
from social_assets.cli.main import main
from social_assets.control.collection.tracked_accounts import TrackedAccounts
from social_assets.control.engine import open_engine

Output = pytest.CaptureFixture[str]


def ended(*arguments: str) -> int:
    """The exit code of a command."""
    with pytest.raises(SystemExit) as ending:
        main(list(arguments))
    return int(ending.value.code or 0)


@pytest.mark.usefixtures("store_home")
def test_it_says_that_nothing_is_due(capsys: Output) -> None:
    assert ended("collect") == 0
    assert "nothing is due; `social-assets accounts` shows" in capsys.readouterr().out
    assert ended("collect", "--format", "json") == 0
    assert capsys.readouterr().out.strip() == "[]"


def test_a_paused_account_is_not_asked_about_and_stays_paused(
    store_home: Home, capsys: Output
) -> None:
    assert ended("track", "x:nasa") == 0
    tracked = TrackedAccounts(open_engine(store_home))
    tracked.pause("X", "nasa", "its posts are protected")
    assert ended("collect", "--account", "x:nasa") != 0
    assert (
        "X:nasa is paused: its posts are protected; `social-assets track X:nasa --resume`"
        in capsys.readouterr().err
    )
    assert tracked.get("X", "nasa").paused_reason == "its posts are protected"


@pytest.mark.usefixtures("store_home")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--account", "x:nobody"], "X:nobody"),
        (["--account", "myspace:nobody"], "myspace"),
        (["--platform", "myspace"], "myspace"),
        (["--all"], "--all needs --account"),
        (["--account", "x:nasa", "--all", "--since", "2026-01-01"], "leave out --since"),
        (["--since", "2999-01-01"], "has not come yet"),
        (["--since", "yesterday"], "yesterday"),
    ],
)
def test_what_is_not_known_is_named(arguments: list[str], told: str, capsys: Output) -> None:
    assert ended("collect", *arguments) != 0
    assert told.lower() in capsys.readouterr().err.lower()
