"""Several receivers on one port: one process takes one core.

Belongs here: starting them, starting again what has died, ending all. Each has a socket of its own
for the same port, over which the kernel spreads connections. All sockets are made here and stay
open here, so that the connections of a process that has died wait for the next one.
"""

from __future__ import annotations

import logging
import multiprocessing
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from types import FrameType

from resources.log_files.handler import begin_logs
from resources.web.listening import GRACE_SECONDS, listening, shared_listener
from social_assets.serving.webhooks.server import prepare, serve_at
from social_assets.serving.webhooks.settings import WebhookSettings

_log = logging.getLogger(__name__)

_PAUSE_SECONDS = 1.0
"""Between two starts of one process, so that one that cannot live does not take the machine."""


def serve_in_processes(settings: WebhookSettings, count: int, announce: Callable[[], None]) -> None:
    """Serve with `count` processes until SIGINT or SIGTERM, or until this process dies.

    Raises what `serve_webhooks` raises before it serves.
    """
    with listening(settings.host, settings.port):
        topics = prepare(settings)
    sockets = [shared_listener(settings.host, settings.port) for _ in range(count)]
    ended = _Ended()
    running = [_started(settings, topics, each) for each in sockets]
    announce()
    try:
        while not ended.is_asked:
            wait([each.sentinel for each in running], timeout=_PAUSE_SECONDS)
            for place, process in enumerate(running):
                if not ended.is_asked and not process.is_alive():
                    _log.error(
                        "receiver process %s ended with %s; another one is started",
                        *(process.pid, process.exitcode),
                    )
                    time.sleep(_PAUSE_SECONDS)
                    running[place] = _started(settings, topics, sockets[place])
    finally:
        _end(running)
        for each in sockets:
            each.close()


class _Ended:
    """Whether a signal has asked this process to end."""

    def __init__(self) -> None:
        self.is_asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, _: int, __: FrameType | None) -> None:
        self.is_asked = True


def _started(
    settings: WebhookSettings, topics: Mapping[str, str], listener: socket.socket
) -> SpawnProcess:
    # Not forked: librdkafka and SQLite cannot be used in a fork.
    made = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(settings, topics, listener), name="webhooks"
    )
    made.start()
    return made


def _serve(settings: WebhookSettings, topics: Mapping[str, str], listener: socket.socket) -> None:
    """One receiver; it ends when its parent has died."""
    begin_logs("webhooks", "WARNING")
    parent = multiprocessing.parent_process()
    ends_with = parent.sentinel if parent else None
    serve_at(settings, topics, [listener], lambda: None, ends_with)


def _end(running: Sequence[SpawnProcess]) -> None:
    for process in running:
        process.terminate()
    until = time.monotonic() + 2 * GRACE_SECONDS
    for process in running:
        process.join(max(0.0, until - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()
