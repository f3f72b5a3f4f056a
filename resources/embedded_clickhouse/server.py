"""The server process: opens the folder, listens, and closes the folder at the end.

`serve` runs it from start to end. `lifecycle` starts and stops it from other processes.
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import uvicorn

from resources.embedded_clickhouse.files import ServerFiles, ServerState
from resources.embedded_clickhouse.http.access import Access
from resources.embedded_clickhouse.http.app import HttpInterface
from resources.embedded_clickhouse.options import PORT, OptionError, Options, loopback_address
from resources.embedded_clickhouse.query.engine import Engine
from resources.embedded_clickhouse.query.engine_config import write_engine_config
from resources.embedded_clickhouse.query.execution import Execution
from resources.embedded_clickhouse.query.room import Room
from resources.embedded_clickhouse.query.written_parts import open_part_log
from resources.embedded_clickhouse.version_file import check_version, record_version
from resources.machine.file_locks import exclusive_lock
from resources.machine.home_machine import claim_home
from resources.machine.port_holder import describe_process, holder
from resources.machine.ports import free_port
from resources.settings.home import Home

_log = logging.getLogger(__name__)
_LOCK_SECONDS = 5.0
_QUERIES_MAY_END_SECONDS = 10
_KEEP_ALIVE_SECONDS = 30
_TICKS_PER_SECOND = 10
_LONGEST_HEADERS = 1 << 20
_BACKLOG = 2048


class AlreadyRunningError(RuntimeError):
    """Another process serves this home."""


def serve(
    home: Home,
    host: str = "127.0.0.1",
    options: Options | None = None,
    announce: Callable[[], None] | None = None,
) -> None:
    """Serve the home until SIGTERM, SIGINT or a long time without requests.

    Calls `announce` when it is ready. Raises the errors of this folder's modules, and
    HomeOfAnotherMachineError if the home belongs to another machine.
    """
    options = options or Options.from_environment()
    host = loopback_address(host)
    claim_home(home.path / "locks")
    files = ServerFiles(home).create()
    # Times without a zone mean UTC, as on a ClickHouse server in a container.
    os.environ["TZ"] = "UTC"
    time.tzset()
    with ExitStack() as held:
        held.enter_context(_only_server(files))
        listener = held.enter_context(_listen(host, options.port, files.read_state()))
        check_version(files.version_file)
        write_engine_config(files.engine_config, files.password(), options.reserve_bytes)
        engine = Engine(files.data, options, files.engine_config)
        held.callback(engine.close)
        record_version(files.version_file, engine.version)
        open_part_log(engine)
        threads = held.enter_context(ThreadPoolExecutor(2 * options.max_queries + 2, "query"))
        room = Room(files.data, files.spool, options.reserve_bytes)
        execution = Execution(engine, threads, room)
        held.callback(execution.sessions.close)
        state = ServerState(
            pid=os.getpid(),
            host=host,
            port=listener.getsockname()[1],
            instance=secrets.token_hex(16),
            started_at=time.time(),
            engine_version=engine.version,
        )
        interface = HttpInterface(
            execution,
            Access(files.password(), files.password_file),
            threads,
            options.max_queries,
            state.instance,
        )

        def ready() -> None:
            files.write_state(state)
            _log.info("ClickHouse %s of %s listens at %s", engine.version, home.path, state.url)
            if announce is not None:
                announce()

        _Uvicorn(interface, execution, options.idle_seconds, ready).run([listener])
        _log.info("stopped")


@contextmanager
def _only_server(files: ServerFiles) -> Iterator[None]:
    try:
        with exclusive_lock(files.server_lock, _LOCK_SECONDS):
            files.server_lock.write_text(f"{os.getpid()}\n")
            yield
    except TimeoutError:
        state = files.read_state()
        where = "" if state is None else f" at {state.url}: {describe_process(state.pid)}"
        raise AlreadyRunningError(
            f"an embedded ClickHouse of {files.folder} runs already{where}; stop it first "
            "(make stop), or use it"
        ) from None


def _listen(host: str, port: int, last: ServerState | None) -> socket.socket:
    """Listen on the given port, else on the previous one (bookmarks keep working), else on any."""
    if port:
        try:
            return _bound(host, port)
        except OSError as error:
            raise OptionError(
                f"can't listen on {host}:{port} ({error.strerror}: {holder(port)}); set {PORT} "
                "to a free port, or to 0 for any"
            ) from error
    if last is not None and last.host == host:
        try:
            return _bound(host, last.port)
        except OSError:
            _log.info("port %d of last time is taken; any free one will do", last.port)
    return _bound(host, free_port(host))


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        # Listen at once: before that, the kernel may give the same port to two processes.
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


class _Uvicorn(uvicorn.Server):
    """A uvicorn server with actions when it is ready, at intervals, and at the end."""

    def __init__(
        self,
        interface: HttpInterface,
        execution: Execution,
        idle_seconds: float,
        ready: Callable[[], None],
    ) -> None:
        super().__init__(
            uvicorn.Config(
                interface.application(),
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=_QUERIES_MAY_END_SECONDS,
                h11_max_incomplete_event_size=_LONGEST_HEADERS,
                http="h11",
                ws="none",
            )
        )
        self._interface = interface
        self._execution = execution
        self._idle_seconds = idle_seconds
        self._ready = ready

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle signals without raising them again, which would skip the closing of the engine."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.handle_exit)
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._ready()

    async def on_tick(self, counter: int) -> bool:
        if counter % _TICKS_PER_SECOND == 0:
            self._execution.sessions.close_expired()
            if 0 < self._idle_seconds <= self._interface.traffic.idle_seconds:
                _log.info("no request for %.0f s", self._idle_seconds)
                return True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets=sockets)
        self._execution.engine.kill_all()
