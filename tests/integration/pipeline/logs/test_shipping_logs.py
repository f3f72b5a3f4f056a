"""Log files reach `ops.logs` with each line once, whatever is killed, away, full or damaged."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from resources.embedded_clickhouse.lifecycle import ensure_running, stop
from resources.log_files.folder import FOLDER, MOST_BYTES, line_files
from resources.log_files.line_file import LineFile
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.operate.logs.read import find_lines
from social_assets.operate.logs.running_warehouse import RunningWarehouse
from social_assets.operate.logs.ship import ship_until
from social_assets.pipeline.logs.ship import (
    Shipper,
    ShipperBusyError,
    only_shipper,
    positions_path,
)
from social_assets.warehouse.logs.line import LogFilter, LogLine
from social_assets.warehouse.logs.lines import LogTable
from social_assets.warehouse.logs.table import LOGS
from tests.small_disk import MakeSmallDisk

AT = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    made = Home(tmp_path_factory.mktemp("home"))
    ensure_running(made)
    yield made
    stop(made)


@dataclass
class Bed:
    """A home without logs, and its table."""

    home: Home
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(10**9)))

    @property
    def table(self) -> LogTable:
        return LogTable(RunningWarehouse(self.home))

    @property
    def lines(self) -> Path:
        return self.home.logs / FOLDER

    def ship(self, batch_bytes: int = 4096) -> int:
        return Shipper(self.home, self.table, batch_bytes).ship().lines

    def writer(self, process: str = "test") -> LineFile:
        return LineFile(self.home.path, self.lines, process, 2**28, lambda text: text)

    def write(self, *messages: str) -> None:
        """Lines of a process that has ended."""
        out = self.writer()
        for each in messages:
            out.append(line(each))
        out.close()

    def texts(self) -> list[str]:
        """All texts, without what the server itself says, such as of a client that was killed."""
        wanted = "process != 'clickhouse' ORDER BY text"
        with RunningWarehouse(self.home).client() as client:
            rows = client.query(f"SELECT text FROM {LOGS} WHERE {wanted}").result_rows
        return [str(text) for (text,) in rows]


@pytest.fixture
def bed(home: Home) -> Iterator[Bed]:
    made = Bed(home)
    for path in (*line_files(made.lines), *home.logs.glob("kafka.log*"), positions_path(home)):
        path.unlink(missing_ok=True)
    # The server's own log.
    made.ship()
    with RunningWarehouse(home).client() as client:
        client.command(f"DROP TABLE IF EXISTS {LOGS} SYNC")
    made.table.prepare()
    yield made


def line(message: str, **more: object) -> str:
    return json.dumps({"time": AT.isoformat(), "level": "INFO", "message": message, **more})


class KilledError(BaseException):
    """Stands in for a kill: nothing after it is done."""


@dataclass(frozen=True)
class KilledAfterInsert:
    """A table behind which the shipper is killed."""

    table: LogTable

    def prepare(self) -> None:
        self.table.prepare()

    def insert(self, lines: list[LogLine], batch: str) -> None:
        self.table.insert(lines, batch)
        raise KilledError

    complete = insert


def test_lines_are_shipped_once_and_their_files_removed(bed: Bed) -> None:
    bed.write(*map(str, range(500)))
    assert bed.ship() == 500
    assert bed.ship() == 0
    assert sorted(bed.texts(), key=int) == [str(n) for n in range(500)]
    assert line_files(bed.lines) == []


def test_the_file_of_a_living_process_stays_and_is_followed(bed: Bed) -> None:
    out = bed.writer()
    out.append(line("first"))
    assert bed.ship() == 1
    out.append(line("second"))
    assert bed.ship() == 1
    assert len(line_files(bed.lines)) == 1
    out.close()
    assert bed.ship() == 0
    assert line_files(bed.lines) == []


@pytest.mark.parametrize("more", [[], ["came after the kill"]])
def test_a_kill_between_insert_and_position_doubles_nothing(bed: Bed, more: list[str]) -> None:
    out = bed.writer()
    for each in ("a", "b", "c"):
        out.append(line(each))
    with pytest.raises(KilledError):
        Shipper(bed.home, KilledAfterInsert(bed.table)).ship()
    for each in more:
        out.append(line(each))
    bed.ship()
    assert bed.texts() == ["a", "b", "c", *more]


def test_rows_that_a_killed_server_has_lost_are_inserted_again(bed: Bed) -> None:
    """It can have recorded the token of rows that it has not written."""
    bed.write("a", "b", "c")
    with pytest.raises(KilledError):
        Shipper(bed.home, KilledAfterInsert(bed.table)).ship()
    with RunningWarehouse(bed.home).client() as client:
        client.command(f"ALTER TABLE {LOGS} DELETE WHERE text != 'b' SETTINGS mutations_sync = 2")
    bed.ship()
    assert bed.texts() == ["a", "b", "c"]


_SHIP = """
import sys
from pathlib import Path
from resources.settings.home import Home
from social_assets.operate.logs.running_warehouse import RunningWarehouse
from social_assets.pipeline.logs.ship import Shipper, only_shipper
from social_assets.warehouse.logs.lines import LogTable
home = Home(Path(sys.argv[1]))
while True:
    with only_shipper(home, 60):
        Shipper(home, LogTable(RunningWarehouse(home)), 2_000).ship()
    print("passed", flush=True)
"""


def test_shippers_that_are_killed_at_any_moment_lose_and_double_nothing(bed: Bed) -> None:
    chance = random.Random(7)  # noqa: S311 - moments, not secrets
    written: list[str] = []
    outs = [bed.writer(f"p{n}") for n in range(3)]
    environment = {**os.environ, ENVIRONMENT_VARIABLE: str(bed.home.path)}
    for _ in range(6):
        # Two at once: one waits for the lock of the other, also when that one is killed.
        running = [
            subprocess.Popen(
                [sys.executable, "-c", _SHIP, str(bed.home.path)],
                env=environment,
                stdout=subprocess.PIPE,
            )
            for _ in range(2)
        ]
        for _ in range(300):
            written.append(f"{len(written):06}")
            chance.choice(outs).append(line(written[-1]))
        assert running[0].stdout is not None
        running[0].stdout.readline()
        for _ in range(300):
            written.append(f"{len(written):06}")
            chance.choice(outs).append(line(written[-1]))
        time.sleep(chance.random() / 4)
        for each in running:
            each.send_signal(signal.SIGKILL)
            each.wait()
    for out in outs:
        out.close()
    bed.ship()
    assert bed.texts() == written
    assert line_files(bed.lines) == []


def test_a_second_shipper_is_told_that_one_works(bed: Bed) -> None:
    # The lock belongs to the open file, so the same process is refused as well.
    with (
        only_shipper(bed.home),
        pytest.raises(ShipperBusyError, match="another process ships"),
        only_shipper(bed.home),
    ):
        pass


def test_lines_wait_while_clickhouse_is_away_and_are_read_from_files(bed: Bed) -> None:
    bed.write("waits")
    stop(bed.home)
    try:
        found = find_lines(bed.home, RunningWarehouse(bed.home), LogFilter(text="WAIT"))
        assert [each.text for each in found.lines] == ["waits"]
        assert "does not run" in found.away
        ended = threading.Event()
        shipping = threading.Thread(target=ship_until, args=(bed.home, bed.table, ended))
        shipping.start()
    finally:
        ensure_running(bed.home)
    until = time.monotonic() + 60
    while "waits" not in bed.texts():
        assert time.monotonic() < until, "the line was never shipped"
        time.sleep(0.05)
    ended.set()
    shipping.join(60)
    assert bed.texts().count("waits") == 1


def test_garbage_is_kept_as_text(bed: Bed) -> None:
    bed.lines.mkdir(parents=True, exist_ok=True)
    garbage = b'\x00\xff\n{"half": \n\n' + b"x" * 3_000_000 + b'\n{"message": "whole"}\nlast'
    (bed.lines / "1-broken-2-3.jsonl").write_bytes(garbage)
    bed.ship()
    texts = Counter(text[:10] for text in bed.texts())
    assert texts == {"\ufffd\ufffd": 1, '{"half": ': 1, "x" * 10: 3, "whole": 1, "last": 1}


def test_the_log_of_a_server_is_followed_when_it_is_turned_and_begun_again(bed: Bed) -> None:
    log = bed.home.logs / "kafka.log"
    log.write_text("[2026-11-30 10:00:00,001] INFO a\n[2026-11-30 10:00:01,001] WARN b\n")
    assert bed.ship() == 2
    with log.open("a") as file:
        file.write("[2026-11-30 10:00:02,001] INFO c\n")
    log.replace(log.with_suffix(".log.1"))
    log.write_text("[2026-11-30 10:00:03,001] INFO d\n")
    assert bed.ship() == 2
    # Begun again in place: shorter than before.
    log.write_text("[2026-11-30 10:00:04,001] e\n")
    assert bed.ship() == 1
    assert [text[-1] for text in bed.texts()] == list("abcde")
    with RunningWarehouse(bed.home).client() as client:
        [(warnings,)] = client.query(
            f"SELECT groupArray(text) FROM {LOGS} WHERE level = 'WARNING' AND process = 'kafka'"
        ).result_rows
    assert warnings == ["[2026-11-30 10:00:01,001] WARN b"]


def test_a_full_disk_stops_shipping_before_anything_is_inserted(
    bed: Bed, small_disk: MakeSmallDisk
) -> None:
    logs = bed.home.path / "small"
    disk = small_disk(1, logs)
    other = replace(bed, home=_HomeWithLogs(bed.home.path, logs))
    other.write("a", "b")
    disk.fill()
    with pytest.raises(OSError, match="No space left"):
        Shipper(other.home, other.table).ship()
    assert bed.texts() == []
    disk.make_room()
    Shipper(other.home, other.table).ship()
    assert bed.texts() == ["a", "b"]


class _HomeWithLogs(Home):
    """A home whose logs are on another disk."""

    def __init__(self, path: Path, logs: Path) -> None:
        super().__init__(path)
        object.__setattr__(self, "other", logs)

    @property
    def logs(self) -> Path:
        return Path(vars(self)["other"])


def test_what_is_removed_before_it_was_shipped_is_told(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MOST_BYTES, str(64 * 1024))
    for number in range(40):
        bed.write(*(f"{number}-{n}" + "x" * 100 for n in range(20)))
    shipped = Shipper(bed.home, bed.table).ship()
    assert shipped.removed.files > 0
    assert shipped.lines == 20 * (40 - shipped.removed.files)


def test_damaged_positions_name_the_file_and_the_remedy(bed: Bed) -> None:
    positions_path(bed.home).write_text("{")
    with pytest.raises(ValueError, match=r"shipped\.json is damaged .* remove it"):
        bed.ship()


@pytest.mark.parametrize(
    "wanted",
    [
        LogFilter(text="ÄRGER mit"),
        LogFilter(text="er"),
        LogFilter(text="100%_'\\ \"x"),
        LogFilter(run="abc"),
        LogFilter(level="WARNING"),
        LogFilter(process="run"),
        LogFilter(since=AT + timedelta(minutes=1)),
        LogFilter(text="Line", limit=2),
        LogFilter(text="a" * 500),
    ],
)
def test_a_filter_finds_the_same_in_clickhouse_and_in_files(bed: Bed, wanted: LogFilter) -> None:
    later = (AT + timedelta(minutes=2)).isoformat()
    given = [
        line("Ärger mit dem Netz", run_id="abcdef", level="ERROR", process="run"),
        line("line of 100%_'\\ \"X", level="WARNING"),
        line("another line\nwith two lines", process="run", run_id="ab"),
        line("LINE later", time=later),
        line("a" * 600),
        "no JSON at all, WARN",
    ]
    out = bed.writer()
    for each in given:
        out.append(each)
    out.close()

    def found() -> list[str]:
        return [each.text for each in find_lines(bed.home, bed.table.clickhouse, wanted).lines]

    in_files = found()
    assert in_files
    assert bed.ship() == len(given)
    assert found() == in_files
