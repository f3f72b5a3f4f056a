"""`social-assets webhooks`: secrets are stored and shown to nobody; URLs are those to give away."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys

import pytest

from resources.settings.home import Home
from social_assets.cli.main import main
from social_assets.control.collection.webhook_secrets import WebhookSecretStore
from social_assets.control.engine import open_engine

TOKEN = "made-up-verify-TOKEN"


def ended(*arguments: str) -> int:
    """The exit code of a command."""
    with pytest.raises(SystemExit) as ending:
        main(list(arguments))
    return int(ending.value.code or 0)


def entered(text: str, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    return ended("webhooks", *arguments)


def store(home: Home) -> WebhookSecretStore:
    return WebhookSecretStore(open_engine(home), home)


def test_a_secret_is_read_from_a_pipe_and_shown_to_nobody(
    store_home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert entered("app-SECRET\n", monkeypatch, "secret", "INSTAGRAM") == 0
    assert entered(f"{TOKEN}\n", monkeypatch, "verify-token", "instagram") == 0
    found = store(store_home).of("Instagram")
    assert found is not None
    assert (found.secret, found.verify_token) == (b"app-SECRET", TOKEN)
    assert "SECRET" not in repr(found) and "TOKEN" not in repr(found)
    assert ended("webhooks", "urls", "--base-url", "https://h.example/in/", "--format", "json") == 0
    said = capsys.readouterr()
    assert "SECRET" not in said.out + said.err and "TOKEN" not in said.out + said.err
    rows = {row["platform"]: row for row in json.loads(said.out[said.out.index("[") :])}
    assert rows["Instagram"]["url"] == "https://h.example/in/webhooks/instagram"
    assert (rows["Instagram"]["secret"], rows["Instagram"]["verify_token"]) == ("stored",) * 2
    assert (rows["TikTok"]["secret"], rows["TikTok"]["verify_token"]) == ("missing", "not needed")


def test_nothing_of_it_is_in_the_store_in_the_clear(
    store_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert entered("app-SECRET", monkeypatch, "secret", "x") == 0
    for path in store_home.path.rglob("*"):
        assert not path.is_file() or b"app-SECRET" not in path.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "given", "told"),
    [
        (("secret", "myspace"), "s", "Facebook, Instagram, TikTok, X, YouTube"),
        (("secret", "x"), "\n", "the secret is empty"),
        (("verify-token", "x"), TOKEN, "X has no verify token"),
        (("verify-token", "facebook"), "short", "make up one of 16 or more"),
        (("urls", "--base-url", "http://h.example"), "", "must read https://host/path"),
        (("urls", "--base-url", "https://u:p@h.example"), "", "must read https://host/path"),
    ],
)
@pytest.mark.usefixtures("store_home")
def test_what_is_wrong_is_named(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    given: str,
    told: str,
) -> None:
    assert entered("app-SECRET", monkeypatch, "secret", "tiktok") == 0
    assert entered(given, monkeypatch, *arguments) == 2
    assert told in " ".join(capsys.readouterr().err.split())


def test_a_terminal_does_not_echo_what_is_typed(store_home: Home) -> None:
    outer, inner = pty.openpty()
    command = [sys.executable, "-m", "social_assets", "webhooks", "secret", "tiktok"]
    process = subprocess.Popen(command, stdin=inner, stdout=inner, stderr=inner)
    os.close(inner)
    seen = b""
    while b"client secret" not in seen:
        seen += os.read(outer, 1024)
    os.write(outer, b"typed-SECRET\n")
    while b"stored the client secret of TikTok" not in seen:
        seen += os.read(outer, 1024)
    assert process.wait(60) == 0
    os.close(outer)
    assert b"typed-SECRET" not in seen
    found = store(store_home).of("TikTok")
    assert found is not None and found.secret == b"typed-SECRET"
