"""The Dagster UI of a home, in the foreground: webserver, daemon, embedded ClickHouse, and beside
it the dashboards and the API, and the shipper of logs, which end with it.
"""

from __future__ import annotations

import os
import signal
import sys
import webbrowser
from typing import IO, NoReturn

from rich.console import Console

from resources.clickhouse.resource import ClickHouseResource
from resources.kafka.settings import BOOTSTRAP_SERVERS
from resources.settings.home import Home
from resources.settings.logs import LEVEL, log_level
from resources.web.token import login_page, login_url, ui_token
from social_assets.alerts.message import UI_URL
from social_assets.operate.runs.instance import use_home
from social_assets.operate.runs.locations import workspace_file
from social_assets.operate.ui.api_process import start_api, start_log_shipper
from social_assets.operate.ui.lock import lock_ui, require_free_port
from social_assets.operate.ui.webserver import MODULE

_QUIET = "WARNING"
_NO_KAFKA = f"none; `social-assets kafka start`, or set {BOOTSTRAP_SERVERS}"
_SUPERSEDED = "ignore:Function `dev_command` is superseded"


def serve_ui(
    home: Home, port: int, api_port: int, console: Console, *, is_opened: bool
) -> NoReturn:
    """Replace this process by `dagster dev`, so that stopping it stops all of it.

    Raises RunFailedError if the home's UI runs already, or a port is taken.
    """
    use_home(home)
    lock = lock_ui(home, port)
    require_free_port(api_port, "--api-port")
    clickhouse = ClickHouseResource().endpoint()
    os.environ.setdefault(UI_URL, f"http://127.0.0.1:{port}")
    os.environ.setdefault(LEVEL, _QUIET)
    for line in served(home, ui_address(home, port), ui_address(home, api_port), clickhouse.url):
        console.print(line, soft_wrap=True, markup=False, highlight=False)
    start_api(home, api_port)
    start_log_shipper(home)
    if is_opened and has_screen():
        _open_when_it_answers(home, port, lock)
    # Shells start what runs in the background with SIGINT ignored, and so would `dagster dev` be,
    # which takes SIGTERM for a SIGINT.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # `dagster dev`, which replaces this process, keeps the lock.
    os.set_inheritable(lock.fileno(), True)
    os.execv(sys.executable, ui_command(port))  # noqa: S606 - no shell is wanted


def served(home: Home, url: str, dashboards: str, clickhouse: str) -> list[str]:
    """The text for the terminal: one line for each service, and how to end it."""
    return [
        f"Dagster UI   {url} (answers in some 10 seconds)",
        f"Dashboards   {dashboards} (API below /api/v1, described at /docs)",
        f"ClickHouse   {clickhouse}",
        f"Kafka        {os.environ.get(BOOTSTRAP_SERVERS) or _NO_KAFKA}",
        f"Home         {home.path}",
        f"Warnings and errors follow here; {LEVEL}=INFO shows more. Ctrl-C ends the UI.",
    ]


def ui_command(port: int) -> list[str]:
    """The command that runs webserver, daemon and code server on loopback, behind our gate."""
    level = log_level().lower()
    return [
        *(sys.executable, "-W", _SUPERSEDED, "-m", MODULE, "dev"),
        *("--workspace", str(workspace_file())),
        *("--log-level", level, "--code-server-log-level", level),
        *("--host", "127.0.0.1", "--port", str(port)),
    ]


def ui_address(home: Home, port: int) -> str:
    """The address that signs a browser in."""
    return login_url(f"http://127.0.0.1:{port}", ui_token(home))


def has_screen() -> bool:
    """Whether a browser would open in its own window, and not in this terminal."""
    named = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return sys.platform != "linux" or bool(named)


def _open_when_it_answers(home: Home, port: int, lock: IO[str]) -> None:
    """Open the browser from a child process, since this process is replaced."""
    if os.fork() != 0:
        return
    # Release the inherited lock: it must end with the UI, not with this child.
    lock.close()
    from social_assets.operate.ui.process import await_address

    url = f"http://127.0.0.1:{port}"
    try:
        if await_address(url, ui_token(home)):
            webbrowser.open(login_page(home, url))
    finally:
        os._exit(0)
