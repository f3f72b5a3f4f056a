"""A service that ends is started again, later each time; none outlives its supervisor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.machine.supervisor import (
    FIRST_WAIT_SECONDS,
    LONGEST_WAIT_SECONDS,
    ChildProcess,
    Service,
    ServiceState,
    Supervisor,
    wait_before,
)

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def running(*stages: Sequence[Service]) -> Iterator[Supervisor]:
    supervisor = Supervisor(stages)
    thread = threading.Thread(target=supervisor.run, args=[lambda _: None])
    thread.start()
    try:
        yield supervisor
    finally:
        supervisor.stop()
        thread.join(60)


def state(supervisor: Supervisor, name: str) -> ServiceState:
    return next(each for each in supervisor.states() if each.name == name)


def test_a_killed_service_is_started_again_and_its_outage_is_told(tmp_path: Path) -> None:
    service = ChildProcess("one", SLEEP, lambda: True, tmp_path / "one.log")
    with running([service]) as supervisor:
        until(lambda: state(supervisor, "one").is_ready)
        first = state(supervisor, "one")
        assert first.restarts == 0
        os.kill(first.pid or 0, signal.SIGKILL)
        until(lambda: state(supervisor, "one").restarts == 1 and state(supervisor, "one").is_ready)
        again = state(supervisor, "one")
        assert again.pid != first.pid
        assert again.down_seconds >= FIRST_WAIT_SECONDS
    assert service.process_id() is None, "it has outlived its supervisor"


def test_the_end_of_a_service_that_ran_before_is_an_outage(tmp_path: Path) -> None:
    service = ChildProcess("one", SLEEP, lambda: True, tmp_path / "one.log")
    service.start()
    with running([service]) as supervisor:
        until(lambda: state(supervisor, "one").is_ready)
        os.kill(state(supervisor, "one").pid or 0, signal.SIGKILL)
        until(lambda: state(supervisor, "one").down_seconds > 0)
        assert state(supervisor, "one").restarts == 1


def test_a_service_waits_until_those_before_it_are_ready(tmp_path: Path) -> None:
    gate = threading.Event()
    before = ChildProcess("before", SLEEP, gate.is_set, tmp_path / "before.log")
    after = ChildProcess("after", SLEEP, lambda: True, tmp_path / "after.log")
    with running([before], [after]) as supervisor:
        until(lambda: state(supervisor, "before").pid is not None)
        assert state(supervisor, "after").pid is None
        gate.set()
        until(lambda: state(supervisor, "after").is_ready)
        os.kill(state(supervisor, "before").pid or 0, signal.SIGKILL)
        until(lambda: state(supervisor, "before").restarts == 1)
        assert state(supervisor, "after").restarts == 0


def test_a_service_that_cannot_start_keeps_no_other_waiting(tmp_path: Path) -> None:
    class Broken(ChildProcess):
        def start(self) -> None:
            raise OSError("no such program")

    broken = Broken("broken", SLEEP, lambda: True, tmp_path / "broken.log")
    fine = ChildProcess("fine", SLEEP, lambda: True, tmp_path / "fine.log")
    with running([broken, fine]) as supervisor:
        until(lambda: state(supervisor, "fine").is_ready)
        until(lambda: state(supervisor, "broken").restarts >= 1)
        assert not state(supervisor, "broken").is_ready


_SUPERVISOR = """
import sys
from pathlib import Path
from resources.machine.supervisor import ChildProcess, Supervisor
sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
child = ChildProcess("child", sleep, lambda: True, Path(sys.argv[1]))
Supervisor([[child]]).run(lambda states: print(states[0].pid or "", flush=True))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_a_service_ends_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _SUPERVISOR, str(tmp_path / "log")]
    supervisor = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert supervisor.stdout is not None
    child = next(int(line) for line in supervisor.stdout if line.strip())
    until(lambda: b"sleep" in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")[-2])
    supervisor.kill()
    supervisor.wait()
    until(lambda: not Path(f"/proc/{child}").exists())


@given(st.integers(1, 10_000))
def test_the_wait_never_shrinks_and_has_a_limit(failures: int) -> None:
    assert FIRST_WAIT_SECONDS <= wait_before(failures) <= wait_before(failures + 1)
    assert wait_before(failures) <= LONGEST_WAIT_SECONDS
