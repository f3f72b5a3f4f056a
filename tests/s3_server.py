"""An S3 server for the tests: Versity's gateway over a folder, built with Go, on loopback.

`make .s3/versitygw` builds it from `tests/s3_gateway`. Conditional puts are enforced, which Delta
needs. `tests/conftest.py` offers the fixture to all tests. With LAKES_OF_TESTS=s3, one server has
the lakes of all tests of a session.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from resources.machine.ports import free_port
from tests.lake_of_tests import BUCKET_VARIABLE, FOLDER_VARIABLE

PROGRAM = Path(__file__).parents[1] / ".s3" / "versitygw"
ACCESS_KEY = "access-of-the-tests"
SECRET_KEY = "secret-of-the-tests"
BUCKET = "lake-of-the-tests"
_SECONDS_TO_START = 30


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    """A new server with the bucket BUCKET. Skips the test if it is not built; in CI it fails."""
    if not PROGRAM.exists():
        reason = "no S3 server: make .s3/versitygw"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="s3") as folder:
        server = S3Server(Path(folder))
        server.start()
        yield server
        server.kill()


def serve_lakes(config: pytest.Config) -> None:
    """Let the lakes of all tests be in a bucket, if LAKES_OF_TESTS is `s3`."""
    if os.environ.get(BUCKET_VARIABLE) != "s3":
        return  # another process has set it already, or the lakes are in folders
    folder = tempfile.TemporaryDirectory(prefix="s3")
    server = S3Server(Path(folder.name))
    server.start()
    os.environ.update(server.environment())
    os.environ.update({BUCKET_VARIABLE: f"s3://{BUCKET}", FOLDER_VARIABLE: folder.name})
    config.add_cleanup(folder.cleanup)
    config.add_cleanup(server.kill)


class S3Server:
    """A server on one port, which may be killed, stopped for a while, and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        """What is stored: a folder for each bucket."""
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        (folder / BUCKET).mkdir()

    def environment(self, port: int | None = None) -> Mapping[str, str]:
        """The variables of AWS by which clients find the server, or a proxy before it."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port or self.port}",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": "us-east-1",
            "AWS_ALLOW_HTTP": "true",
        }

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(
            [PROGRAM, "--port", f"127.0.0.1:{self.port}", "--quiet", "posix", self.folder],
            env={"ROOT_ACCESS_KEY": ACCESS_KEY, "ROOT_SECRET_KEY": SECRET_KEY},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        ends = time.monotonic() + _SECONDS_TO_START
        while not self._answers():
            assert self._process.poll() is None, "the S3 server has ended"
            assert time.monotonic() < ends, "the S3 server does not answer"
            time.sleep(0.02)

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

    def go_on(self) -> None:
        """End a pause."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=5).close()
        except urllib.error.HTTPError:
            return True  # it wants a signature
        except OSError:
            return False
        return True
