"""`social-assets credentials`: what is entered is stored, and shown to nobody."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from resources.settings.environments import CONTROL_URL
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.cli.main import main
from social_assets.control.collection.credentials import PlatformCredentials, Tokens
from social_assets.control.engine import open_engine

ANSWER = {
    "access_token": "act.SECRET",
    "refresh_token": "rft.SECRET",
    "client_key": "KEY",
    "client_secret": "CLIENT-SECRET",
    "expires_in": 7200,
    "refresh_expires_in": 15552000,
    "open_id": "723f",
    "scope": "video.list",
    "token_type": "Bearer",
}


def ended(*arguments: str) -> int:
    """The exit code of a command."""
    with pytest.raises(SystemExit) as ending:
        main(list(arguments))
    return int(ending.value.code or 0)


def entered(text: str, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    return ended("credentials", "add", *arguments)


def stored(home: Home) -> list[Tokens]:
    credentials = PlatformCredentials(open_engine(home), home)
    return [credentials.tokens(each) for each in credentials.list()]


def test_an_answer_of_a_platform_is_read_from_a_pipe_and_shown_to_nobody(
    store_home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert entered(json.dumps(ANSWER), monkeypatch, "tiktok", "--account", "723f") == 0
    assert ended("credentials", "list", "--format", "json") == 0
    said = capsys.readouterr()
    assert "stored credential 723f of TikTok; it ends on " in said.out
    (row,) = json.loads(said.out.partition("\n")[2])
    assert (row["platform"], row["account"], row["state"]) == ("TikTok", "723f", "active")
    assert "SECRET" not in said.out + said.err
    (tokens,) = stored(store_home)
    assert (tokens.access_token, tokens.client_id) == ("act.SECRET", "KEY")
    files = [path for path in store_home.path.rglob("*") if path.is_file()]
    assert not [path for path in files if b"SECRET" in path.read_bytes()]

    assert ended("credentials", "remove", "tiktok", "723f") == 0
    assert stored(store_home) == []


def test_a_token_alone_of_instagram_lasts_sixty_days(
    sqlite_home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert entered("IGQVJ-SECRET\n", monkeypatch, "instagram", "--account", "1784") == 0
    (tokens,) = stored(sqlite_home)
    assert tokens.obtained_at is not None
    assert tokens.final_expires_at is not None
    assert (tokens.final_expires_at - tokens.obtained_at).days == 60
    assert ended("credentials", "rotate", "instagram") == 1
    assert "too young or too old" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "there is no access token"),
        ("two SECRET words", "access_token is no text of printable ASCII characters"),
        ('{"access_token": "SECRET"', "begins like a JSON object, and is none"),
        ('{"acess_token": "SECRET"}', "has 'acess_token'; known are access_token"),
        ('{"access_token": "SECRET", "expires_in": "soon"}', "expires_in is no number"),
        ('{"access_token": ["SECRET"]}', "access_token is no text"),
    ],
)
@pytest.mark.usefixtures("sqlite_home")
def test_what_is_no_token_is_refused_and_not_repeated(
    text: str, told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert entered(text, monkeypatch, "x") == 2
    said = capsys.readouterr().err
    assert told in said
    assert "SECRET" not in said


@pytest.mark.usefixtures("sqlite_home")
def test_a_platform_or_name_that_is_unknown_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert entered("t", monkeypatch, "myspace") == 1
    assert "there are Facebook, Instagram, TikTok, X, YouTube" in capsys.readouterr().err
    assert entered("t", monkeypatch, "x") == 0
    assert ended("credentials", "remove", "x", "17") == 2
    assert "no credential of X has the name '17'" in capsys.readouterr().err


def test_at_a_terminal_it_asks_and_echoes_nothing(tmp_path: Path) -> None:
    own, others = pty.openpty()
    environment = {**os.environ, ENVIRONMENT_VARIABLE: str(tmp_path / "home")}
    environment.pop(CONTROL_URL, None)
    command = [sys.executable, "-m", "social_assets", "credentials", "add", "x", "--account", "17"]
    started = subprocess.Popen(
        command, stdin=others, stdout=others, stderr=others, env=environment, start_new_session=True
    )
    os.close(others)
    shown = b""
    for asked, answer in (
        (b"access token:", b"SECRET-1\n"),
        (b"(empty: none):", b"SECRET-2\n"),
        (b"client id", b"\n"),
        (b"client secret", b"\n"),
        (b"stored", b""),
    ):
        part = b""
        while asked not in part:
            part += os.read(own, 1024)
        shown += part
        os.write(own, answer)
    assert started.wait(30) == 0
    assert b"SECRET" not in shown
    home = Home(tmp_path / "home")
    (tokens,) = stored(home)
    assert (tokens.access_token, tokens.refresh_token) == ("SECRET-1", "SECRET-2")
