"""The servers of an installation: their commands, their order, and how each is asked.

They are those of `docker/compose.yaml`. What the environment names elsewhere (ClickHouse, Kafka,
PostgreSQL) is not started here, and is kept running by others.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import yaml

from resources.clickhouse.resource import URL_VARIABLE
from resources.embedded_clickhouse import lifecycle as clickhouse
from resources.kafka import broker
from resources.kafka.settings import BOOTSTRAP_SERVERS
from resources.machine.supervisor import ChildProcess, Service
from resources.settings.home import Home
from resources.web.token import ui_token
from social_assets.operate.runs.locations import Location
from social_assets.operate.ui.daemon import MODULE as DAEMON
from social_assets.operate.ui.webserver import MODULE as WEBSERVER
from social_assets.operate.up.probes import (
    HEALTH,
    SERVER_INFO,
    answers,
    code_server_serves,
    daemon_beats,
)


@dataclass(frozen=True)
class HomeServer:
    """A server of the home that any process may start, and that outlives this one.

    Whoever needs it first starts it; the supervisor is one of them.
    """

    name: str
    find: Callable[[], int | None]
    begin: Callable[[], object]
    ready: Callable[[], bool]

    def process_id(self) -> int | None:
        """See Service."""
        return self.find()

    def start(self) -> None:
        """See Service."""
        self.begin()

    def is_ready(self) -> bool:
        """See Service."""
        return self.ready()

    def end(self) -> None:
        """It stays: commands use it. `social-assets stop` and `kafka stop` end it."""


def stages(home: Home, folder: Path, port: int, api_port: int) -> Sequence[Sequence[Service]]:
    """The servers, each stage needing those before; `folder` is for sockets, and short."""
    code_servers = {location: folder / f"{location.value}.sock" for location in Location}
    workspace = folder / "workspace.yaml"
    workspace.write_text(yaml.safe_dump(_workspace(code_servers)))
    return [
        _stores(home),
        [_code_server(home, location, socket) for location, socket in code_servers.items()],
        [
            _webserver(home, workspace, port),
            _daemon(home, workspace),
            _child(
                home,
                "serving",
                ["-m", "social_assets", "--home", str(home.path), "serve", "--port", str(api_port)],
                partial(answers, api_port, HEALTH),
            ),
            _child(
                home,
                "logs",
                ["-m", "social_assets", "--home", str(home.path), "ship-logs"],
                lambda: True,
            ),
        ],
    ]


def _stores(home: Home) -> list[Service]:
    found: list[Service] = []
    if not os.environ.get(URL_VARIABLE):
        found.append(
            HomeServer(
                "clickhouse",
                partial(clickhouse.process_id, home),
                partial(clickhouse.ensure_running, home),
                lambda: clickhouse.running_state(home) is not None,
            )
        )
    if not os.environ.get(BOOTSTRAP_SERVERS) and broker.bootstrap_servers(home) is not None:
        found.append(
            HomeServer(
                "kafka",
                partial(broker.process_id, home),
                partial(broker.start, home),
                partial(broker.is_answering, home),
            )
        )
    return found


def _code_server(home: Home, location: Location, socket: Path) -> ChildProcess:
    dagster = shutil.which("dagster", path=str(Path(sys.executable).parent)) or "dagster"
    command = [dagster, "code-server", "start", "--socket", str(socket), "-m", location.module]
    log = home.logs / f"{location.value}.log"
    return ChildProcess(location.value, command, partial(code_server_serves, socket), log)


def _webserver(home: Home, workspace: Path, port: int) -> ChildProcess:
    arguments = ["-m", WEBSERVER, "-h", "127.0.0.1", "-p", str(port), "-w", str(workspace)]
    ready = partial(answers, port, SERVER_INFO, ui_token(home))
    return _child(home, "webserver", arguments, ready)


def _daemon(home: Home, workspace: Path) -> ChildProcess:
    def ready() -> bool:
        return daemon_beats(home, child.started_at)

    child = _child(home, "daemon", ["-m", DAEMON, "run", "-w", str(workspace)], ready)
    return child


def _child(
    home: Home, name: str, arguments: Sequence[str], ready: Callable[[], bool]
) -> ChildProcess:
    return ChildProcess(name, [sys.executable, *arguments], ready, home.logs / f"{name}.log")


def _workspace(code_servers: dict[Location, Path]) -> dict[str, object]:
    return {
        "load_from": [
            {"grpc_server": {"socket": str(socket), "location_name": location.value}}
            for location, socket in code_servers.items()
        ]
    }
