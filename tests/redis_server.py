"""A Redis for the tests: Debian's package redis-server, without a file on disk, on loopback.

`tests/conftest.py` offers the fixture to all tests.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.machine.ports import free_port

_PROGRAM = Path("/usr/bin/redis-server")
_PASSWORD = "of-the-tests"
_SECONDS_TO_START = 20


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """A new server. Skips the test if Redis is absent; on a build server it fails."""
    if not _PROGRAM.exists():
        reason = "no Redis: apt-get install redis-server"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="redis") as folder:
        server = RedisServer(Path(folder))
        server.start()
        yield server
        server.kill()


class RedisServer:
    """A server on one port, which may be killed, stopped for a while, and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://:{_PASSWORD}@127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        settings = self._folder / "redis.conf"
        settings.write_text(
            f"bind 127.0.0.1\nport {self._port}\nrequirepass {_PASSWORD}\n"
            f'save ""\nappendonly no\ndir {self._folder}\n'
        )
        self._process = subprocess.Popen(
            [_PROGRAM, settings], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        ends = time.monotonic() + _SECONDS_TO_START
        while not self._answers():
            assert self._process.poll() is None, "redis-server has ended"
            assert time.monotonic() < ends, "redis-server does not answer"
            time.sleep(0.02)

    def command(self, *words: str) -> object:
        """The answer to one command."""
        from redis import Redis

        with Redis.from_url(self.url, socket_timeout=5) as client:
            return client.execute_command(*words)

    def kill(self) -> None:
        """End it at once, as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Let it answer nothing, though its port takes connections."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def _answers(self) -> bool:
        from redis.exceptions import RedisError

        try:
            return bool(self.command("PING"))
        except (RedisError, OSError):
            return False
