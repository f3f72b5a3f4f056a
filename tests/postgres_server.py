"""A PostgreSQL for the tests: Debian's packages, in a temporary folder, on loopback.

`tests/conftest.py` offers the fixtures to all tests.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from resources.machine.ports import free_port

_DEBIAN = Path("/usr/lib/postgresql")
PASSWORD = "of the tests"


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL. Skips the test if PostgreSQL is absent; on a build server it fails."""
    with running_postgres() as server:
        yield server.url


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """A new server during the block. Skips the test as the fixture does."""
    found = sorted(_DEBIAN.glob("*/bin/initdb"))
    if not found:
        reason = "no PostgreSQL: apt-get install postgresql"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    # The server refuses to run as root.
    user = "postgres" if os.geteuid() == 0 else None
    if user is not None:
        shutil.chown(folder, user)
    server = PostgresServer(found[-1].parent, folder, user)
    try:
        server.create()
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def postgres_database(postgres: str) -> Iterator[str]:
    """The URL of an empty database of its own."""
    import psycopg2

    name = f"test_{secrets.token_hex(6)}"
    server = psycopg2.connect(postgres)
    server.autocommit = True
    with server.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    yield postgres.rpartition("/")[0] + f"/{name}"
    with server.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
    server.close()


class PostgresServer:
    """A server in a folder, which may be killed and started again. Made by `running`."""

    def __init__(self, programs: Path, folder: Path, user: str | None) -> None:
        self._programs, self._folder, self._user = programs, folder, user
        self._port = free_port()

    @property
    def url(self) -> str:
        quoted = PASSWORD.replace(" ", "%20")
        return f"postgresql://dagster:{quoted}@127.0.0.1:{self._port}/postgres"

    @property
    def log(self) -> Path:
        return self._folder / "log"

    def create(self) -> None:
        secret = self._folder / "password"
        secret.write_text(PASSWORD)
        if self._user is not None:
            shutil.chown(secret, self._user)
        self._call(
            "initdb",
            "-D",
            str(self._data),
            "-U",
            "dagster",
            "--auth=scram-sha-256",
            f"--pwfile={secret}",
            "--no-sync",
        )

    def start(self) -> None:
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -k {self._folder} -c fsync=off"
        options += " -c wal_level=logical"
        self._call(
            "pg_ctl", "-D", str(self._data), "-w", "-l", str(self.log), "-o", options, "start"
        )

    def kill(self) -> None:
        """Kill its first process with SIGKILL; returns when the others have seen it and ended."""
        pid = int((self._data / "postmaster.pid").read_text().splitlines()[0])
        others = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 60
        while any(Path(f"/proc/{other}").exists() for other in others):
            assert time.monotonic() < deadline, "PostgreSQL lives on"
            time.sleep(0.05)

    def stop(self) -> None:
        """End all its processes at once, as a crash does: the next start recovers."""
        self._call("pg_ctl", "-D", str(self._data), "-m", "immediate", "-w", "stop")

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _call(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            user=self._user,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program != "pg_ctl" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT if program != "pg_ctl" else subprocess.DEVNULL,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{program}: {done.stdout}"
