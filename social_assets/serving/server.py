"""The server: uvicorn with the application, until it is asked to end.

Belongs here: listening, and ending in order. Who may ask is decided by `gate`.
"""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from resources.machine.port_holder import holder
from social_assets.serving.app import create_app
from social_assets.serving.settings import ServeSettings

GRACE_SECONDS = 5
_BACKLOG = 2048


class ServeError(RuntimeError):
    """The server cannot start; the text names the reason and the remedy."""


class UvicornServer(uvicorn.Server):
    """Without uvicorn's handlers, which send the signal again when the server has ended."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End the server at SIGINT and SIGTERM."""
        loop = asyncio.get_running_loop()
        for each in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(each, self.handle_exit, each, None)
        yield


def serve(settings: ServeSettings, announce: Callable[[], None], ends_with: int | None) -> None:
    """Serve until SIGINT, SIGTERM, or the end of the pipe `ends_with`; open requests are answered.

    Raises ServeError if the port is taken, ControlStoreError if the store cannot be used.
    """
    with listening(settings.host, settings.port) as listener:
        config = uvicorn.Config(
            create_app(settings),
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        server = UvicornServer(config)
        if ends_with is not None:
            end_with(server, ends_with)
        announce()
        # uvloop, which sends small answers at once; asyncio delays them by 40 ms on this socket.
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(server.serve(sockets=[listener]))


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens. Raises ServeError if another process has the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise ServeError(
            f"port {port} of {host} is taken by {holder(port)}; end it, or name another with --port"
            if error.errno == errno.EADDRINUSE
            else f"no server can listen at {host}:{port}: {error.strerror}; name another --host"
        ) from error
    with listener:
        yield listener


def end_with(server: uvicorn.Server, pipe: int) -> None:
    """End the server when the writer of a pipe has ended, however that was."""

    def wait() -> None:
        while os.read(pipe, 1):
            pass
        server.should_exit = True

    threading.Thread(target=wait, daemon=True).start()
