"""`social-assets keys`: the key alone on standard output, once; what a mistake says."""

from __future__ import annotations

import json
import os

import pytest

from resources.settings.environments import CONTROL_URL
from resources.settings.home import Home
from social_assets.cli.main import main
from social_assets.control.api_keys import ApiKeys
from social_assets.control.engine import open_engine


def ended(*arguments: str) -> int:
    """The exit code of a command."""
    with pytest.raises(SystemExit) as ending:
        main(list(arguments))
    return int(ending.value.code or 0)


def test_standard_output_is_the_key_alone_and_the_list_never_shows_it(
    store_home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("keys", "create", "--name", "reports", "--account", "ig:0042", "--expires", "30")
    assert ended(*command) == 0
    said = capsys.readouterr()
    key = ApiKeys(open_engine(store_home)).verify(said.out.strip())
    assert key is not None
    assert said.out.count("\n") == 1
    assert f"keys revoke {key.id}" in said.err
    assert said.out.strip() not in said.err
    in_home = not os.environ.get(CONTROL_URL)
    assert ("creating a new installation" in said.err) == store_home.path.exists() == in_home

    assert ended("keys", "list", "--format", "json") == 0
    listed = capsys.readouterr().out
    assert said.out.split("_")[2].strip() not in listed
    (row,) = json.loads(listed)
    assert (row["id"], row["state"], row["accounts"]) == (key.id, "active", ["Instagram:0042"])
    assert row["last_used_at"].endswith("Z")


@pytest.mark.parametrize("by", ["id", "key"])
def test_a_key_is_revoked_by_its_id_or_by_itself(
    by: str, sqlite_home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = ApiKeys(open_engine(sqlite_home))
    new = keys.create("reports")
    assert ended("keys", "revoke", new.key.id if by == "id" else new.text) == 0
    assert capsys.readouterr().out.startswith(f"revoked {new.key.id} (reports) at ")
    assert keys.verify(new.text) is None
    assert ended("keys", "list") == 0
    assert "revoked" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--account", "instgram:1"), "did you mean Instagram?"),
        (("--account", "natgeo"), "is not PLATFORM:ID"),
        (("--role", "owner"), "'owner' is not one of 'read', 'write', 'admin'"),
        (("--expires", "0"), "0 is not in the range"),
        (("--per-minute", "-1"), "-1 is not in the range"),
    ],
)
def test_a_wrong_option_is_named_and_no_key_is_made(
    options: tuple[str, ...],
    said: str,
    sqlite_home: Home,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ended("keys", "create", "--name", "reports", *options) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.out == ""
    assert ApiKeys(open_engine(sqlite_home)).list() == []


def test_an_id_that_no_key_has_is_a_wrong_command(
    sqlite_home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    open_engine(sqlite_home).dispose()
    assert ended("keys", "revoke", "nothing") == 2
    assert "`social-assets keys list` shows the ids" in capsys.readouterr().err


def test_a_server_that_does_not_answer_is_named_without_the_password(
    sqlite_home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(CONTROL_URL, "postgresql://me:hunter2secret@127.0.0.1:9/social")
    assert ended("--debug", "keys", "create", "--name", "reports") == 1
    said = capsys.readouterr().err
    assert "the operational store at 127.0.0.1:9, database social: connection to server" in said
    assert f"correct {CONTROL_URL}" in said
    assert "hunter2secret" not in said
