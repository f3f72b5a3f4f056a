"""The files by which processes of one home find, identify and lock the server.

All are in `<home>/clickhouse`: `data` (chDB's folder), `spool` (bodies of requests in progress),
`password`, `state.json` (where the server listens), `engine_version`, `engine.xml`, `start.lock`
(held while a server starts) and `server.lock` (held as long as the server runs). The kernel
releases `server.lock` when the server's process ends for any reason. So a process that can take the
lock knows that no server runs.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from typing import Self

from resources.machine.file_locks import write_atomically
from resources.settings.home import Home
from resources.settings.private_home import make_private

USER = "default"
INSTANCE_HEADER = "X-Social-Assets-Instance"
READY = "ready"


@dataclass(frozen=True)
class ServerState:
    """Address and identity of a running server; `instance` is new at every start."""

    pid: int
    host: str
    port: int
    instance: str
    started_at: float
    engine_version: str

    @property
    def url(self) -> str:
        """Where clients connect."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


class ServerFiles:
    """Paths of the server's files; reads and writes them."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self.folder = home.clickhouse
        self.data = self.folder / "data"
        self.spool = self.folder / "spool"
        self.password_file = self.folder / "password"
        self.state_file = self.folder / "state.json"
        self.version_file = self.folder / "engine_version"
        self.engine_config = self.folder / "engine.xml"
        self.start_lock = self.folder / "start.lock"
        self.server_lock = self.folder / "server.lock"
        self.log = home.logs / "clickhouse.log"

    def create(self) -> Self:
        """Create the folders; only this user may read them."""
        make_private(self._home)
        for folder in (self.folder, self.spool, self.log.parent):
            folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        return self

    def read_state(self) -> ServerState | None:
        """The state of the last server, which may have ended. The file is always complete."""
        try:
            return ServerState(**json.loads(self.state_file.read_text()))
        except FileNotFoundError:
            return None

    def write_state(self, state: ServerState) -> None:
        """Record where the server listens."""
        write_atomically(self.state_file, json.dumps(asdict(state), indent=2) + "\n")

    def password(self) -> str:
        """The password of this home; created if absent. The caller must hold `start_lock`."""
        try:
            return self.password_file.read_text().strip()
        except FileNotFoundError:
            password = secrets.token_urlsafe(24)
            write_atomically(self.password_file, password + "\n")
            return password
