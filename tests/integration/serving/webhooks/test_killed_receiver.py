"""Killed under load: no event that was answered 200 is lost."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pytest

from resources.machine.ports import free_port
from resources.settings.home import Home
from tests.integration.serving.webhooks.receiver_bed import (
    Senders,
    receiver,
    records,
    sealed,
    store_secrets,
)

NOTICES = "webhook_notices"


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
