"""The end of a command: exit codes, one line, a trace in the home's logs, none for Ctrl-C."""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from resources.settings.home import ENVIRONMENT_VARIABLE
from social_assets.cli.errors import run_command
from social_assets.operate.runs.failures import RunFailedError

Say = pytest.CaptureFixture[str]


def raising(error: BaseException) -> Callable[[], object]:
    """A command that raises an error."""

    def command() -> object:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (RunFailedError("file x: broken"), 1, "Error: file x: broken\n"),
        (click.UsageError("wrong"), 2, "Error: wrong\n"),
        (click.FileError("f", "gone"), 2, "Error: Could not open file 'f': gone\n"),
        (click.exceptions.Abort(), 130, "Interrupted by Ctrl-C."),
        (KeyboardInterrupt(), 130, "Interrupted by Ctrl-C."),
        (
            OSError(errno.EROFS, "Read-only file system", "/home/x"),
            1,
            "Error: /home/x: Read-only file system; it is on a read-only file system: name",
        ),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), 1, "Error: /x: Permission"),
        (ZeroDivisionError("a\nb"), 1, "Error: ZeroDivisionError: a b (unexpected;"),
    ],
)
def test_an_error_is_one_line_and_its_exit_code(
    error: BaseException, code: int, said: str, capsys: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)
    assert run_command(raising(error), is_debug=False) == code
    told = capsys.readouterr()
    assert said in told.err
    assert "Traceback" not in told.err
    assert (told.out, told.err.count("\n")) == ("", 1)


def test_the_trace_of_an_unexpected_error_is_in_the_homes_logs_without_secrets(
    tmp_path: Path, capsys: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lake").mkdir()
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path))
    monkeypatch.setenv("SOCIAL_ASSETS_CLICKHOUSE_URL", "http://u:s3cret-word@host:1")
    assert run_command(raising(TypeError("with s3cret-word")), is_debug=False) == 1
    (file,) = (tmp_path / "logs" / "errors").iterdir()
    shown, written = capsys.readouterr().err, file.read_text()
    assert str(file) in shown
    assert "Traceback" in written
    assert "s3cret-word" not in shown + written
    assert file.stat().st_mode & 0o077 == 0


def test_debug_shows_the_trace(capsys: Say) -> None:
    assert run_command(raising(TypeError("x")), is_debug=True) == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_empty_home_stays_empty_after_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path))
    assert run_command(raising(TypeError("x")), is_debug=False) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def heeds_ctrl_c() -> Iterator[None]:
    """Restore SIGINT: a shell starts background processes with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    # Another test of this process may have left a handler of Dagster's.
    before_term = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGINT, before)
    signal.signal(signal.SIGTERM, before_term)


@pytest.mark.usefixtures("heeds_ctrl_c")
@pytest.mark.parametrize(
    ("sent", "code", "name"), [(signal.SIGINT, 130, "Ctrl-C"), (signal.SIGTERM, 143, "SIGTERM")]
)
@pytest.mark.parametrize("is_caught", [True, False])
def test_a_signal_is_an_interruption_also_if_a_library_turned_it_into_an_error(
    sent: signal.Signals, code: int, name: str, is_caught: bool, capsys: Say
) -> None:
    def command() -> None:
        try:
            os.kill(os.getpid(), sent)
            time.sleep(10)
        except KeyboardInterrupt:
            if is_caught:
                raise RunFailedError("Query interrupted") from None
            raise

    before = signal.getsignal(signal.SIGTERM)
    assert run_command(command, is_debug=False) == code
    assert signal.getsignal(signal.SIGTERM) == before
    assert capsys.readouterr().err.startswith(f"Interrupted by {name}. What was done is kept")
