"""What `up --status` tells after an end, also one by kill -9."""

from __future__ import annotations

import json
from pathlib import Path

from resources.machine.file_locks import exclusive_lock
from resources.machine.supervisor import ServiceState
from resources.settings.home import Home
from social_assets.operate.up.run import service_states

STATE = {"name": "daemon", "pid": 7, "is_ready": True, "restarts": 1, "down_seconds": 2.5}


def test_the_states_of_a_supervisor_that_was_killed_tell_nothing(tmp_path: Path) -> None:
    locks = Home(path=tmp_path).path / "locks"
    locks.mkdir()
    assert service_states(Home(path=tmp_path)) == []
    (locks / "services.json").write_text(json.dumps([STATE]))
    with exclusive_lock(locks / "up.lock", 1.0):
        assert service_states(Home(path=tmp_path)) == [ServiceState("daemon", 7, True, 1, 2.5)]
    # The file of one that was killed is still there; its lock ended with it.
    assert service_states(Home(path=tmp_path)) == []
