"""The lock of a home's Dagster UI and daemon, and its holder.

Belongs here: refusing a second `dev` or `demo-live` of a home: two daemons would each start the
runs of all sensors and schedules. It is a lock of the operating system (`flock`) of the process
that runs `dagster dev`, so it ends with that process, also after kill -9.
"""

from __future__ import annotations

import fcntl
import json
import os
from typing import IO

from resources.machine.home_machine import claim_home
from resources.machine.port_holder import describe_process, holder
from resources.machine.ports import is_free
from resources.machine.processes import processes_of
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.operate.runs.failures import RunFailedError

HOST = "127.0.0.1"
_MODULES = ("dagster._daemon", "social_assets.operate.ui.webserver")
"""The processes of the UI that survive its kill -9: daemon and webserver."""


def lock_ui(home: Home, port: int) -> IO[str]:
    """Take the lock of the home's UI, whose port must be free. Closing the file gives it back.

    A process that inherits the file holds it, too. Raises RunFailedError naming who has the lock or
    the port.
    """
    folder = home.path / "locks"
    claim_home(folder)
    file = (folder / "ui.lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        who = _holder(file)
        file.close()
        raise RunFailedError(
            f"the Dagster UI of {home.path} runs already: {who}; use it, or end it first. "
            "Two daemons of one home would start each run twice"
        ) from None
    orphans = sorted(processes_of(ENVIRONMENT_VARIABLE, str(home.path), _MODULES))
    if orphans:
        file.close()
        raise RunFailedError(
            f"a Dagster UI of {home.path} was killed, and what it started runs on: "
            f"{', '.join(map(describe_process, orphans))}; end it with "
            f"`kill {' '.join(map(str, orphans))}`. Two daemons of one home would "
            "start each run twice"
        )
    try:
        require_free_port(port, "--port")
    except RunFailedError:
        file.close()
        raise
    record_holder(file, os.getpid(), port)
    return file


def require_free_port(port: int, option: str) -> None:
    """Raise RunFailedError, which names the port's holder, if a server cannot listen there."""
    if not is_free(port, HOST):
        raise RunFailedError(
            f"port {port} of {HOST} is taken by {holder(port)}; end it, or name another with "
            f"{option}"
        )


def record_holder(file: IO[str], pid: int, port: int) -> None:
    """Write down who holds the lock, for the message to the next one."""
    file.seek(0)
    file.truncate()
    json.dump({"pid": pid, "port": port}, file)
    file.flush()


def _holder(file: IO[str]) -> str:
    file.seek(0)
    text = file.read()
    if not text:
        return "a process that starts at this moment"
    found = json.loads(text)
    return f"{describe_process(int(found['pid']))}, at http://{HOST}:{found['port']}"
