"""Killed under load: no event that was answered 200 is lost."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from resources.kafka.broker import free_port
from resources.settings.home import Home
from tests.integration.serving.webhooks.receiver_bed import (
    reactions,
    receiver,
    records,
    sealed,
    signed,
    store_secrets,
)

NOTICES = "webhook_notices"


class Senders:
    """Threads that send reactions and note each one that was answered 200."""

    def __init__(self, url: str, threads: int) -> None:
        self._url = f"{url}/webhooks/facebook"
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._number = 0
        self.accepted: set[str] = set()
        self._threads = [threading.Thread(target=self._send) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, count: int) -> None:
        until = time.monotonic() + 60
        while len(self.accepted) < count:
            assert time.monotonic() < until, f"only {len(self.accepted)} are accepted"
            time.sleep(0.01)

    def _numbers(self) -> Sequence[int]:
        with self._lock:
            self._number += 3
            return range(self._number - 3, self._number)

    def _send(self) -> None:
        with httpx.Client(timeout=30) as client:
            while not self._stop.is_set():
                numbers = self._numbers()
                body = reactions(*numbers)
                try:
                    answer = client.post(self._url, content=body, headers=signed("facebook", body))
                except httpx.TransportError:
                    time.sleep(0.05)  # it is being started again
                    continue
                if answer.status_code == 200:
                    with self._lock:
                        self.accepted |= {str(number) for number in numbers}


def stored(home: Home) -> set[str]:
    found = records(home, NOTICES)
    return {json.loads(each["payload"])["value"]["from"]["id"] for each in found}


@pytest.mark.endurance
def test_no_event_that_was_answered_is_lost_when_it_is_killed(tmp_path: Path) -> None:
    home, port, chance = Home(tmp_path / "home"), free_port(), random.Random(7)  # noqa: S311
    store_secrets(home)
    senders = Senders(f"http://127.0.0.1:{port}", threads=8)
    try:
        for _ in range(10):
            with receiver(home, port=port) as running:
                senders.wait_for(len(senders.accepted) + 60)
                time.sleep(chance.random() * 0.5)
                running.kill()
    finally:
        senders.stop()
    assert len(senders.accepted) > 600
    assert senders.accepted <= stored(home)
    with receiver(home, port=port) as running:
        running.end()
    folder = home.landing / NOTICES
    assert sorted(folder.iterdir()) == sealed(home, NOTICES), "a segment was left behind"
    assert senders.accepted <= stored(home)
