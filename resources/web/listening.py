"""How our HTTP servers listen, and how they end in order.

Belongs here: the socket and uvicorn's server. Which application is served belongs to its room.
"""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import uvicorn

from resources.machine.port_holder import holder

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


def uvicorn_config(
    application: Any, lifespan: Literal["on", "off"], *, has_date: bool = True
) -> uvicorn.Config:
    """How all our servers serve: without uvicorn's logs and names, ended within GRACE_SECONDS."""
    return uvicorn.Config(
        application,
        lifespan=lifespan,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=has_date,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


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


def shared_listener(host: str, port: int) -> socket.socket:
    """One of several sockets that listen at the same port; the kernel spreads connections."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG, reuse_port=True)


def end_with(server: uvicorn.Server, pipe: int) -> None:
    """End the server when the writer of a pipe has ended, however that was."""

    def wait() -> None:
        while os.read(pipe, 1):
            pass
        server.should_exit = True

    threading.Thread(target=wait, daemon=True).start()
