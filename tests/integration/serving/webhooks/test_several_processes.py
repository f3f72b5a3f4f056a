"""Several receiver processes on one port: all serve, one that dies is started again."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from resources.settings.home import Home
from tests.integration.serving.webhooks.receiver_bed import (
    RunningReceiver,
    command_of,
    reactions,
    receiver,
    records,
    sealed,
    signed,
    store_secrets,
    workers,
)

NOTICES = "webhook_notices"


def wait_for(condition: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until, f"not in a minute: {what}"
        time.sleep(0.05)


def send(running: RunningReceiver, number: int) -> int:
    """A delivery on a connection of its own; its status."""
    body = reactions(number)
    url = f"{running.url}/webhooks/facebook"
    return httpx.post(url, content=body, headers=signed("facebook", body), timeout=60).status_code


def segments(home: Home) -> set[str]:
    """The processes that write, by the names of their segments."""
    found = (home.landing / NOTICES).glob(".webhooks_*")
    return {path.name.split("_")[2] for path in found}


def test_all_processes_take_deliveries_and_end_together(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    store_secrets(home)
    with receiver(home, "--processes", "2") as running:
        sent = 0
        seen: set[str] = set()
        while len(seen) < 2:
            assert send(running, sent) == 200
            sent += 1
            seen |= segments(home)
            assert sent < 500, f"only {seen} takes deliveries"
        children = workers(running)
        assert {str(pid) for pid in children} == seen
        running.end()
        assert running.process.returncode == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)
    assert len(records(home, NOTICES)) == sent
    assert sorted((home.landing / NOTICES).iterdir()) == sealed(home, NOTICES)


def test_a_process_that_dies_is_started_again_and_loses_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    store_secrets(home)
    with receiver(home, "--processes", "2") as running:
        assert [send(running, number) for number in range(20)] == [200] * 20
        first = workers(running)
        killed = first.pop()
        os.kill(killed, signal.SIGKILL)
        wait_for(lambda: len(workers(running) - {killed}) == 2, "another process")
        assert [send(running, number) for number in range(20, 40)] == [200] * 20
        running.end()
    assert len(records(home, NOTICES)) == 40
    assert sorted((home.landing / NOTICES).iterdir()) == sealed(home, NOTICES)


def test_the_processes_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    store_secrets(home)
    with receiver(home, "--processes", "2") as running:
        assert send(running, 1) == 200
        children = workers(running)
        assert len(children) == 2
        running.kill()
        wait_for(
            lambda: not any(b"spawn_main" in command_of(pid) for pid in children),
            "the end of the processes",
        )
    assert len(records(home, NOTICES)) == 1


@pytest.mark.parametrize("count", ["0", "x"])
def test_a_number_of_processes_that_cannot_be_is_refused(tmp_path: Path, count: str) -> None:
    with (
        pytest.raises(RuntimeError, match="--processes"),
        receiver(Home(tmp_path / "home"), "--processes", count),
    ):
        pass
