"""Runs all servers of an installation until it is asked to end, and tells others their state.

Belongs here: the lock, the signals, the file with the states. Keeping a service running belongs to
`resources.machine.supervisor`.
"""

from __future__ import annotations

import json
import signal
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from resources.machine.file_locks import exclusive_lock, is_locked, write_atomically
from resources.machine.supervisor import ServiceState, Supervisor
from resources.settings.home import Home
from social_assets.operate.runs.instance import use_home
from social_assets.operate.ui.dev import ui_address
from social_assets.operate.ui.lock import lock_ui, require_free_port
from social_assets.operate.up.services import stages

_LOCK_SECONDS = 10.0


def run_services(home: Home, port: int, api_port: int, say: Callable[[str], None]) -> None:
    """Keep the installation's servers running until SIGINT or SIGTERM.

    Raises RunFailedError if the home's UI runs already, or a port is taken.
    """
    use_home(home)
    with lock_ui(home, port), tempfile.TemporaryDirectory(prefix="social-assets-") as folder:
        require_free_port(api_port, "--api-port")
        supervisor = Supervisor(stages(home, Path(folder), port, api_port))
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: supervisor.stop())
        say(f"Dagster UI   {ui_address(home, port)}")
        say(f"Dashboards   {ui_address(home, api_port)}")
        say("Ctrl-C ends all; `social-assets up --status` says what runs.")
        told: set[str] = set()

        def changed(states: Sequence[ServiceState]) -> None:
            write_atomically(_file(home), json.dumps([asdict(state) for state in states]))
            # Of ends and starts after that, the supervisor's warnings tell.
            for state in states:
                if state.is_ready and state.name not in told:
                    told.add(state.name)
                    say(f"{state.name} is ready")

        with exclusive_lock(_lock(home), _LOCK_SECONDS):
            try:
                supervisor.run(changed)
            finally:
                _file(home).unlink(missing_ok=True)


def service_states(home: Home) -> Sequence[ServiceState]:
    """The states of the services that run for the home; none if `up` does not run.

    The file of an `up` that was killed stays, and tells nothing: nobody holds its lock.
    """
    try:
        found = json.loads(_file(home).read_text())
    except FileNotFoundError:
        return []
    return [ServiceState(**each) for each in found] if is_locked(_lock(home)) else []


def _lock(home: Home) -> Path:
    return home.path / "locks" / "up.lock"


def _file(home: Home) -> Path:
    return home.path / "locks" / "services.json"
