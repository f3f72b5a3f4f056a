"""What a process writes to its log files: every line, in bounds, whatever the disk does."""

from __future__ import annotations

import json
import logging
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.log_files.folder import (
    FOLDER,
    MOST_BYTES,
    LogBytesError,
    file_bytes,
    held,
    line_files,
    most_bytes,
    remove_oldest,
)
from resources.log_files.handler import FileLines, begin_logs, process_of
from resources.log_files.line_file import LineFile
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from resources.settings.logs import LOGGERS

BOUND = 1024**2


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "home").mkdir()
    return Home(tmp_path / "home")


def writer(home: Home, bound: int = BOUND) -> LineFile:
    return LineFile(home.path, home.logs / FOLDER, "test", bound, lambda text: f"told: {text}")


def lines(home: Home) -> list[str]:
    return [
        line for path in line_files(home.logs / FOLDER) for line in path.read_text().splitlines()
    ]


@pytest.fixture
def logger(home: Home) -> Iterator[logging.Logger]:
    made = logging.getLogger("social_assets.test_line_files")
    handler = FileLines(home, "test")
    made.addHandler(handler)
    made.setLevel("INFO")
    yield made
    made.removeHandler(handler)
    handler.close()


def test_a_line_has_process_level_message_fields_and_error(
    home: Home, logger: logging.Logger
) -> None:
    try:
        raise ValueError("no such day")
    except ValueError:
        logger.exception("day %s\nfailed", "today", extra={"stream": "posts", "seconds": 0.5})
    [line] = lines(home)
    found = json.loads(line)
    assert found["process"] == "test"
    assert found["pid"] == os.getpid()
    assert found["level"] == "ERROR"
    assert found["message"] == "day today\nfailed"
    assert (found["stream"], found["seconds"]) == ("posts", "0.5")
    assert found["error"].endswith("ValueError: no such day")


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("http://ann:hunter2secret@host/x", "http://***@host/x"),
        ("Authorization: Bearer abcdef0123456789", "Authorization: Bearer ***"),
        ("password=hunter2secret; done", "password=***; done"),
        ('{"access_token": "hunter2secret"}', '{"access_token": "***"}'),
        ('the key is quo"ted-secret', "the key is ***"),
        ("12 tokens; the token is refused", "12 tokens; the token is refused"),
    ],
)
def test_credentials_are_taken_out_before_a_line_is_written(
    home: Home,
    logger: logging.Logger,
    monkeypatch: pytest.MonkeyPatch,
    said: str,
    written: str,
) -> None:
    monkeypatch.setenv("SOCIAL_ASSETS_KAFKA_SASL_PASSWORD", 'quo"ted-secret')
    logger.info("%s", said)
    [line] = lines(home)
    assert json.loads(line)["message"] == written


def test_a_long_message_is_cut_and_says_how_long_it_was(home: Home, logger: logging.Logger) -> None:
    logger.info("%s", "x" * 100_000)
    [line] = lines(home)
    assert len(line) < 40_000
    assert json.loads(line)["message"].endswith("... (100,000 characters)")


def test_without_a_home_nothing_is_created(tmp_path: Path) -> None:
    home = Home(tmp_path / "none")
    writer(home).append("x")
    assert not home.path.exists()


def test_a_file_that_is_full_is_followed_by_another(home: Home) -> None:
    out = writer(home)
    for number in range(2_000):
        out.append(f"{number:0100}")
    files = line_files(home.logs / FOLDER)
    assert len(files) > 2
    assert max(each.stat().st_size for each in files) <= file_bytes(BOUND)
    assert [int(line) for line in lines(home)] == list(range(2_000))


def test_all_files_together_are_bounded_and_what_was_removed_is_told(home: Home) -> None:
    out = writer(home)
    for number in range(30_000):
        out.append(f"{number:0100}")
    found = lines(home)
    assert sum(each.stat().st_size for each in line_files(home.logs / FOLDER)) <= BOUND
    assert found[-1] == f"{29_999:0100}"
    told = [line for line in found if line.startswith("told: ")]
    assert told
    assert "1 log files with" in told[-1]
    assert "were removed before they were shipped" in told[-1]


def test_the_file_of_a_living_process_is_not_removed(home: Home) -> None:
    out = writer(home)
    out.append("x" * 100)
    [path] = line_files(home.logs / FOLDER)
    with held(path) as is_complete:
        assert not is_complete
    assert not remove_oldest(home.logs / FOLDER, 0)
    out.close()
    assert remove_oldest(home.logs / FOLDER, 0).files == 1


_WITH_A_SMALL_LIMIT = """
import resource, sys
from pathlib import Path
from resources.log_files.line_file import LineFile
home = Path(sys.argv[1])
out = LineFile(home, home / "logs" / "lines", "test", 2**20, lambda text: "told: " + text)
for number in range(10):
    out.append(f"{number}" * 99)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_050, resource.RLIM_INFINITY))
for number in range(5):
    out.append("lost")
    out.append("l" * 200)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
out.append("written again")
"""


def test_lines_that_do_not_fit_the_disk_are_counted_and_later_lines_are_whole(home: Home) -> None:
    """The limit of a file's size stands in for a full disk: a write is cut, then refused."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    subprocess.run([sys.executable, "-c", _WITH_A_SMALL_LIMIT, str(home.path)], check=True)
    found = lines(home)
    again = found.index("written again")
    assert "log lines of this process could not be written" in found[again + 1]
    lost = int(found[again + 1].split()[1])
    whole = sum(line in ("lost", "l" * 200) for line in found)
    assert lost + whole == 10
    assert lost > 0


def test_a_folder_that_cannot_be_made_neither_fails_nor_holds_a_process(home: Home) -> None:
    home.logs.write_text("a file is in the way")
    out = writer(home)
    for _ in range(1_000):
        out.append("x")
    home.logs.unlink()
    assert lines(home) == []


def test_a_forked_child_writes_a_file_of_its_own(home: Home) -> None:
    out = writer(home)
    out.append("of the parent")
    child = os.fork()
    if child == 0:
        out.append("of the child")
        os._exit(0)
    os.waitpid(child, 0)
    out.append("of the parent again")
    contents = {path.read_text() for path in line_files(home.logs / FOLDER)}
    assert contents == {"of the parent\nof the parent again\n", "of the child\n"}


_OTHERS = """
import logging, logging.config, sys
from resources.log_files.handler import begin_logs
begin_logs("test", "WARNING")
logging.getLogger("social_assets.x").info("below the console's level")
logging.getLogger("urllib3.x").warning("of a library")
logging.config.dictConfig({"version": 1, "disable_existing_loggers": False})
logging.getLogger("social_assets.x").error("after Dagster has set up its handlers")
"""


def test_all_loggers_write_and_the_console_shows_what_it_did(home: Home) -> None:
    environment = {**os.environ, ENVIRONMENT_VARIABLE: str(home.path)}
    ended = subprocess.run(
        [sys.executable, "-c", _OTHERS], env=environment, capture_output=True, text=True, check=True
    )
    assert [json.loads(line)["message"] for line in lines(home)] == [
        "below the console's level",
        "of a library",
        "after Dagster has set up its handlers",
    ]
    console = ended.stderr
    assert "of a library" in console
    assert console.count("after Dagster") == 1
    assert "below the console" not in console


def test_the_first_call_of_a_process_counts(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(home.path))
    loggers = [logging.getLogger(), *map(logging.getLogger, LOGGERS)]
    before = [(each, list(each.handlers), each.level, each.propagate) for each in loggers]
    try:
        begin_logs("one")
        begin_logs("two")
        ours = [each for each in logging.getLogger().handlers if isinstance(each, FileLines)]
        assert len(ours) == 1
    finally:
        for each, handlers, level, propagate in before:
            each.handlers[:], each.level, each.propagate = handlers, level, propagate


@pytest.mark.parametrize(
    ("arguments", "process"),
    [
        (["python", "-m", "dagster", "api", "execute_run"], "run"),
        (["python", "-B", "-c", "from multiprocessing.spawn import spawn_main; ..."], "run"),
        (["python", "-m", "dagster", "api", "grpc"], "code-location"),
        (["/bin/dagster-daemon", "run"], "daemon"),
        (["python", "-m", "dagster_webserver"], "dagster"),
        ([], "dagster"),
    ],
)
def test_a_process_of_dagster_is_named_by_its_arguments(arguments: list[str], process: str) -> None:
    assert process_of(arguments) == process


def test_a_bound_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MOST_BYTES, "1 GB")
    with pytest.raises(LogBytesError, match="'1 GB'; it must be a number from 65536 on"):
        most_bytes()
