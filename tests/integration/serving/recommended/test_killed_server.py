"""Killed while feedback comes in: what was answered is there once, also if it is sent again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from resources.clickhouse.resource import ClickHouseResource
from resources.machine.ports import free_port
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from resources.web.token import ui_token
from social_assets.contracts.registry import contract
from social_assets.defs.stores import StoresResource
from social_assets.pipeline.stream_work import ingest_files
from social_assets.serving.recommended.event_log import FEEDBACK, STREAMS
from social_assets.serving.webhooks.landing_segments import LandingSegments
from tests.integration.serving.recommended.conftest import Recommending

pytestmark = pytest.mark.endurance

KILLS, A_LIFE, THREADS, START_SECONDS = 3, 40, 4, 90.0


def feedback(name: str) -> dict[str, Any]:
    given = {"platform": "instagram", "user_id": "u1", "item_id": "p2", "kind": "click"}
    return {**given, "feedback_id": name, "happened_at": "2026-11-30T12:05:00Z"}


@dataclass
class Senders:
    """Threads that send feedback until they are stopped, and send again what was not answered."""

    home: Home
    url: str
    accepted: set[str] = field(default_factory=set)
    ends: threading.Event = field(default_factory=threading.Event)

    def start(self) -> list[threading.Thread]:
        threads = [threading.Thread(target=self._send, args=(n,)) for n in range(THREADS)]
        for thread in threads:
            thread.start()
        return threads

    def _send(self, number: int) -> None:
        bearer = {"Authorization": f"Bearer {ui_token(self.home)}"}
        count = 0
        with httpx.Client(timeout=10, headers=bearer) as client:
            while not self.ends.is_set():
                events = [feedback(f"killed-{number}-{count}-{n}") for n in range(3)]
                try:
                    answer = client.post(f"{self.url}/feedback", json={"feedback": events})
                except httpx.TransportError:
                    time.sleep(0.02)
                    continue  # the same ids again
                if answer.status_code == 200:
                    self.accepted.update(each["feedback_id"] for each in events)
                    count += 1

    def wait_for(self, count: int) -> None:
        until = time.monotonic() + START_SECONDS
        while len(self.accepted) < count:
            assert time.monotonic() < until, f"{len(self.accepted)} of {count} were answered"
            time.sleep(0.02)


@contextmanager
def served(home: Home, port: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "social_assets", "serve", "--port", str(port)],
        env={**os.environ, ENVIRONMENT_VARIABLE: str(home.path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait(30)


def test_no_feedback_that_was_answered_is_lost_or_doubled(recommending: Recommending) -> None:
    home, port = recommending.home, free_port()
    senders = Senders(home, f"http://127.0.0.1:{port}/api/v1")
    threads = senders.start()
    try:
        for _ in range(KILLS):
            with served(home, port) as process:
                senders.wait_for(len(senders.accepted) + A_LIFE)
                process.send_signal(signal.SIGKILL)
                process.wait(30)
    finally:
        senders.ends.set()
        for thread in threads:
            thread.join()
    # What the next server does when it opens its log.
    segments = LandingSegments(home.landing, 10.0)
    segments.recover(STREAMS)
    segments.close()
    stores = StoresResource(clickhouse=ClickHouseResource()).stores().of(contract(FEEDBACK))
    for _ in range(2):
        ingest_files(stores, sorted((home.landing / FEEDBACK).glob("*.ndjson")))
    rows = recommending.warehouse.client.query(
        f"SELECT feedback_id, count() FROM cleaned.{FEEDBACK}\n"
        "WHERE startsWith(feedback_id, 'killed-') GROUP BY feedback_id"
    ).result_rows
    assert len(senders.accepted) >= KILLS * A_LIFE
    assert senders.accepted <= {name for name, _ in rows}
    assert {count for _, count in rows} == {1}
