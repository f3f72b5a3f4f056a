"""A home has one server, any process starts it, and no row is lost however it ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from clickhouse_connect.driver.exceptions import Error

from resources.clickhouse.resource import connect
from resources.embedded_clickhouse.files import ServerFiles
from resources.embedded_clickhouse.lifecycle import (
    EmbeddedServerError,
    ensure_running,
    running_state,
    stop,
)
from resources.embedded_clickhouse.options import OptionError, loopback_address
from resources.machine.file_locks import is_locked
from resources.settings.home import Home
from tests.integration.resources.embedded_clickhouse.waiting import wait_until

SOURCES = Path(__file__).resolve().parents[4]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / "home of 'it' ü")
    yield home
    stop(home)


def kill_nine(home: Home) -> None:
    state = running_state(home)
    assert state is not None
    os.kill(state.pid, signal.SIGKILL)
    wait_until(lambda: not is_locked(ServerFiles(home).server_lock))


def test_nothing_runs_until_asked_and_stop_says_whether_it_did(home: Home) -> None:
    assert running_state(home) is None
    assert stop(home) is False
    first = ensure_running(home)
    assert ensure_running(home) == first
    assert stop(home) is True
    assert stop(home) is False
    assert running_state(home) is None


def test_processes_that_race_share_one_server(home: Home) -> None:
    program = (
        "import sys; from pathlib import Path; "
        "from resources.settings.home import Home;"
        "from resources.embedded_clickhouse.lifecycle import ensure_running;"
        "print(ensure_running(Home(Path(sys.argv[1]))).url)"
    )
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(home.path)],
            cwd=SOURCES,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]
    urls = {racer.communicate(timeout=60)[0] for racer in racers}
    assert [racer.returncode for racer in racers] == [0] * 6
    assert len(urls) == 1
    assert home.logs.joinpath("clickhouse.log").read_text().count("listens at") == 1


def test_the_server_outlives_the_kill_of_the_process_that_started_it(home: Home) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; "
        "from resources.settings.home import Home;"
        "from resources.embedded_clickhouse.lifecycle import ensure_running;"
        "ensure_running(Home(Path(sys.argv[1]))); os.killpg(0, signal.SIGKILL)"
    )
    starter = subprocess.run(
        [sys.executable, "-c", program, str(home.path)],
        cwd=SOURCES,
        start_new_session=True,
        check=False,
    )
    assert starter.returncode == -signal.SIGKILL
    assert running_state(home) is not None


def test_an_acknowledged_insert_survives_kill_nine(home: Home) -> None:
    client = connect(ensure_running(home))
    client.command("CREATE TABLE kept (a UInt64) ENGINE = MergeTree ORDER BY a")
    acknowledged = 0
    for batch in range(20):
        rows = [[batch * 1000 + number] for number in range(1000)]
        acknowledged += client.insert("kept", rows, column_names=["a"]).written_rows
    kill_nine(home)
    client = connect(ensure_running(home))
    assert client.query("SELECT count(), uniqExact(a) FROM kept").first_row == (20_000, 20_000)
    assert acknowledged == 20_000


def test_a_kill_amid_inserts_keeps_whole_batches_and_all_acknowledged_ones(home: Home) -> None:
    client = connect(ensure_running(home))
    client.command("CREATE TABLE kept (batch UInt32, a UInt64) ENGINE = MergeTree ORDER BY a")
    acknowledged: list[int] = []

    def insert_until_killed() -> None:
        batch = 0
        while True:
            batch += 1
            rows = [[batch, number] for number in range(5000)]
            try:
                client.insert("kept", rows, column_names=["batch", "a"])
            except Error:
                return
            acknowledged.append(batch)

    writer = threading.Thread(target=insert_until_killed)
    writer.start()
    wait_until(lambda: len(acknowledged) >= 5)
    kill_nine(home)
    writer.join()
    client = connect(ensure_running(home))
    counts = dict(client.query("SELECT batch, count() FROM kept GROUP BY batch").result_rows)
    assert set(acknowledged) <= set(counts)
    assert set(counts.values()) == {5000}


def test_a_stop_waits_for_running_inserts(home: Home) -> None:
    client = connect(ensure_running(home))
    client.command("CREATE TABLE kept (a UInt64) ENGINE = MergeTree ORDER BY a")
    query = "INSERT INTO kept SELECT number + sleepEachRow(0.1) FROM numbers(10)"
    slow = threading.Thread(target=client.command, args=(query,))
    slow.start()
    other = connect(ensure_running(home))
    running = "SELECT count() FROM system.processes WHERE query LIKE 'INSERT%'"
    wait_until(lambda: other.command(running) == 1)
    stop(home)
    slow.join()
    assert connect(ensure_running(home)).command("SELECT count() FROM kept") == 10


def test_a_state_left_by_a_dead_server_misleads_nobody(home: Home) -> None:
    ensure_running(home)
    kill_nine(home)
    files = ServerFiles(home)
    state = json.loads(files.state_file.read_text())
    # As if another program now has both the process id and the port.
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        state |= {"pid": os.getpid(), "port": stranger.getsockname()[1]}
        files.state_file.write_text(json.dumps(state))
        assert running_state(home) is None
        assert stop(home) is False
        assert not ensure_running(home).url.endswith(f":{state['port']}")


def test_a_restart_keeps_the_port(home: Home) -> None:
    first = ensure_running(home)
    stop(home)
    assert ensure_running(home) == first


def test_copies_of_a_home_that_start_together_get_ports_of_their_own(
    home: Home, tmp_path: Path
) -> None:
    ensure_running(home)
    stop(home)
    copies = [Home(shutil.copytree(home.path, tmp_path / f"copy{n}")) for n in range(3)]
    try:
        with ThreadPoolExecutor(len(copies)) as threads:
            urls = {endpoint.url for endpoint in threads.map(ensure_running, copies)}
        assert len(urls) == len(copies)
    finally:
        for copy in copies:
            stop(copy)


def test_an_idle_server_stops_by_itself_and_comes_back(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOCIAL_ASSETS_CLICKHOUSE_IDLE_SECONDS", "1")
    client = connect(ensure_running(home))
    client.command("CREATE TABLE kept (a UInt64) ENGINE = MergeTree ORDER BY a")
    client.command("INSERT INTO kept SELECT sleep(2.5)")
    assert running_state(home) is not None
    wait_until(lambda: not is_locked(ServerFiles(home).server_lock))
    assert "no request for 1 s" in home.logs.joinpath("clickhouse.log").read_text()
    assert connect(ensure_running(home)).command("SELECT count() FROM kept") == 1


def test_sigterm_closes_the_data_and_ends_well(home: Home) -> None:
    ensure_running(home)
    state = running_state(home)
    assert state is not None
    os.kill(state.pid, signal.SIGTERM)
    wait_until(lambda: not is_locked(ServerFiles(home).server_lock))
    assert home.logs.joinpath("clickhouse.log").read_text().endswith("stopped\n")


def test_a_server_that_hangs_is_killed_and_keeps_what_was_acknowledged(home: Home) -> None:
    with connect(ensure_running(home)) as client:
        client.command("CREATE TABLE kept (n UInt8) ENGINE = MergeTree ORDER BY n")
        client.command("INSERT INTO kept VALUES (7)")
    state = running_state(home)
    assert state is not None
    os.kill(state.pid, signal.SIGSTOP)
    assert stop(home, timeout=0.5)
    assert f"killed: process {state.pid}" in home.logs.joinpath("clickhouse.log").read_text()
    with connect(ensure_running(home)) as client:
        assert client.query("SELECT n FROM kept").result_rows == [(7,)]


def test_a_folder_of_a_newer_engine_is_refused_with_the_remedy(home: Home) -> None:
    files = ServerFiles(home).create()
    files.version_file.write_text("26.9.2.1\n99.1.2.3\n")
    with pytest.raises(EmbeddedServerError) as refused:
        ensure_running(home)
    assert "last written by ClickHouse 99.1.2.3" in str(refused.value)
    assert "chdb-core>=99.1" in str(refused.value)
    assert str(files.log) in str(refused.value)


def test_a_folder_of_an_older_engine_is_taken_over_and_that_is_noted(home: Home) -> None:
    files = ServerFiles(home).create()
    files.version_file.write_text("24.1.1.1\n")
    ensure_running(home)
    assert files.version_file.read_text().split()[0] == "24.1.1.1"
    assert len(files.version_file.read_text().split()) == 2
    assert "goes from ClickHouse 24.1.1.1 to" in files.log.read_text()


def test_a_taken_port_is_named_with_the_setting(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("SOCIAL_ASSETS_CLICKHOUSE_PORT", str(taken.getsockname()[1]))
        with pytest.raises(EmbeddedServerError, match="SOCIAL_ASSETS_CLICKHOUSE_PORT"):
            ensure_running(home)


def test_a_data_folder_that_cannot_be_opened_is_named(home: Home) -> None:
    files = ServerFiles(home).create()
    files.data.write_text("not a folder")
    with pytest.raises(EmbeddedServerError) as refused:
        ensure_running(home)
    assert str(files.data) in str(refused.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.1", "::", "example.org"])  # noqa: S104
def test_only_loopback_is_listened_on(host: str) -> None:
    with pytest.raises(OptionError, match=r"127\.0\.0\.1"):
        loopback_address(host)


def test_password_and_state_are_for_the_owner_alone(home: Home) -> None:
    ensure_running(home)
    files = ServerFiles(home)
    assert stat.S_IMODE(files.folder.stat().st_mode) == 0o700
    for path in (files.password_file, files.state_file, files.version_file):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert files.password() not in files.log.read_text()


def test_the_password_survives_a_restart(home: Home) -> None:
    first = ensure_running(home)
    kill_nine(home)
    assert ensure_running(home).password == first.password
    assert first.password not in repr(first)
