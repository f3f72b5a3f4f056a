"""The Dagster UI of a home as a child process: starts, watches and ends it with all its children.

Belongs here: the process. `dev` runs the UI in the foreground.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from resources.settings.home import Home
from resources.web.token import login_page, login_url, ui_token
from social_assets.alerts.message import UI_URL
from social_assets.operate.runs.failures import RunFailedError
from social_assets.operate.ui.dev import ui_command
from social_assets.operate.ui.lock import HOST, lock_ui, record_holder

_START_SECONDS = 120.0
_END_SECONDS = 15.0
_POLL_SECONDS = 0.1
_LOG_TAIL_LINES = 15


class UiProcess:
    """Webserver, daemon, code server and the runs they start, as one group of processes."""

    def __init__(self, home: Home, port: int) -> None:
        """Start the UI. Raises RunFailedError if the port is taken, or the home's UI runs
        already.
        """
        self.url = f"http://{HOST}:{port}"
        self.token = ui_token(home)
        self._home = home
        self.log = home.logs / "demo-live.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with lock_ui(home, port) as lock, self.log.open("w") as log:
            # A new session: Ctrl-C reaches only this process, which ends the others in order.
            self._process = subprocess.Popen(
                ui_command(port),
                env={UI_URL: self.url, **os.environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=(lock.fileno(),),
            )
            record_holder(lock, self._process.pid, port)

    @property
    def login_url(self) -> str:
        """The address that signs a browser in."""
        return login_url(self.url, self.token)

    def login_page(self) -> str:
        """The address with which a browser is started."""
        return login_page(self._home, self.url)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def await_answer(self) -> None:
        """Return when the UI answers. Raises RunFailedError if it ends, or takes too long."""
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(self.url, self.token):
            self.check()
            if time.monotonic() > deadline:
                raise RunFailedError(
                    f"the Dagster UI does not answer at {self.url}; see {self.log}"
                )
            time.sleep(_POLL_SECONDS)

    def check(self) -> None:
        """Raise RunFailedError with the end of its log if it has ended by itself."""
        if self._process.poll() is not None:
            tail = "\n  ".join(_tail(self.log))
            raise RunFailedError(f"the Dagster UI has ended; the end of {self.log}:\n  {tail}")

    def end(self) -> None:
        """End the UI and all its children; kills those that do not end when asked."""
        for ask in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            if self._has_ended():
                return
            os.killpg(self._process.pid, ask)
            _wait(self._has_ended, _END_SECONDS)

    def _has_ended(self) -> bool:
        self._process.poll()
        try:
            os.killpg(self._process.pid, 0)
        except ProcessLookupError:
            # No process of the group is alive: that is what this function waits for.
            return True
        return False


def _wait(is_done: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not is_done() and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def await_address(url: str, token: str) -> bool:
    """Wait until the UI answers there; False if it does not in time."""
    _wait(lambda: _answers(url, token), _START_SECONDS)
    return _answers(url, token)


def _answers(url: str, token: str) -> bool:
    request = urllib.request.Request(  # noqa: S310 - our own, http
        f"{url}/server_info", headers={"Authorization": f"Bearer {token}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=5):  # noqa: S310
            return True
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        # Nothing listens yet: that is what this function waits for.
        return False


def _tail(log: Path) -> list[str]:
    return log.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:]
