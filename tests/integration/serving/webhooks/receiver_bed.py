"""A receiver in a process of its own, spoken to over HTTP, and what it has stored.

Belongs here: starting and ending it, signing as the platforms do, reading the landing folder.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from resources.machine.ports import free_port
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.control.collection.webhook_secrets import WebhookSecretStore
from social_assets.control.engine import open_engine
from social_assets.ingest.webhooks.registry import WEBHOOKS

SECRET = "made-up-secret-of-every-platform"
TOKEN = "made-up-verify-token"
COMMAND = (sys.executable, "-m", "social_assets")
_START_SECONDS = 60.0


@dataclass
class RunningReceiver:
    """A receiver that answers."""

    home: Home
    url: str
    process: subprocess.Popen[str]
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30))

    def post(self, platform: str, body: bytes, **headers: str) -> httpx.Response:
        """A delivery that is signed."""
        return self.client.post(
            f"{self.url}/webhooks/{platform}",
            content=body,
            headers={**signed(platform, body), **headers},
        )

    def get(self, platform: str, **query: str) -> httpx.Response:
        """A verification request."""
        named = {name.replace("hub_", "hub."): value for name, value in query.items()}
        return self.client.get(f"{self.url}/webhooks/{platform}", params=named)

    def kill(self) -> None:
        """End it without warning."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    def end(self) -> None:
        """End it in order."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def store_secrets(home: Home) -> None:
    """Store the same secrets for all platforms."""
    engine = open_engine(home)
    store = WebhookSecretStore(engine, home)
    for each in WEBHOOKS:
        store.put_secret(each.platform, SECRET)
        if each.has_verify_token:
            store.put_verify_token(each.platform, TOKEN)
    engine.dispose()


@contextmanager
def receiver(
    home: Home, *options: str, environment: Mapping[str, str] | None = None, port: int | None = None
) -> Iterator[RunningReceiver]:
    """A receiver, until the block ends."""
    port = port or free_port()
    command = [*COMMAND, "webhooks", "serve", "--port", str(port), *options]
    process = subprocess.Popen(
        command,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, ENVIRONMENT_VARIABLE: str(home.path), **(environment or {})},
    )
    running = RunningReceiver(home, f"http://127.0.0.1:{port}", process)
    try:
        _wait_until_it_answers(running)
        yield running
    finally:
        running.client.close()
        with suppress(ProcessLookupError):
            process.terminate()
        process.communicate(timeout=30)


def _wait_until_it_answers(running: RunningReceiver) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        if running.process.poll() is not None:
            raise RuntimeError(f"the receiver ended: {running.process.communicate()[1]}")
        with suppress(httpx.TransportError):
            running.client.get(running.url)
            return
        time.sleep(0.05)
    raise TimeoutError("the receiver does not answer")


def signed(platform: str, body: bytes, at: int | None = None) -> dict[str, str]:
    """The header by which a platform signs."""
    key = SECRET.encode()
    match platform:
        case "x":
            mac = base64.b64encode(hmac.new(key, body, hashlib.sha256).digest()).decode()
            return {"x-twitter-webhooks-signature": f"sha256={mac}"}
        case "tiktok":
            at = int(time.time()) if at is None else at
            mac = hmac.new(key, f"{at}.".encode() + body, hashlib.sha256).hexdigest()
            return {"tiktok-signature": f"t={at},s={mac}"}
        case "youtube":
            return {"x-hub-signature": f"sha1={hmac.new(key, body, hashlib.sha1).hexdigest()}"}
    return {"x-hub-signature-256": f"sha256={hmac.new(key, body, hashlib.sha256).hexdigest()}"}


def reaction(number: int, at: int | None = None) -> dict[str, Any]:
    """An entry of a Facebook page: one reaction."""
    at = int(time.time()) if at is None else at
    value = {"item": "reaction", "verb": "add", "post_id": "1_2", "created_time": at}
    value |= {"from": {"id": str(number)}}
    return {"id": "1", "time": at, "changes": [{"field": "feed", "value": value}]}


def reactions(*numbers: int, at: int | None = None) -> bytes:
    """A delivery with one entry for each number."""
    entries = [reaction(number, at) for number in numbers]
    return json.dumps({"object": "page", "entry": entries}).encode()


def sealed(home: Home, stream: str) -> list[Path]:
    """The files of a stream that can be loaded."""
    return sorted((home.landing / stream).glob("webhooks_*.ndjson"))


def records(home: Home, stream: str) -> list[dict[str, Any]]:
    """All records in the files of a stream, the hidden ones as well."""
    folder = home.landing / stream
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    lines = [line for path in paths for line in path.read_bytes().split(b"\n")[:-1]]
    return [json.loads(line) for line in lines]


class Senders:
    """Threads that send reactions and note each one that was answered 200."""

    def __init__(self, url: str, threads: int) -> None:
        self._url = f"{url}/webhooks/facebook"
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._number = 0
        self.accepted: set[str] = set()
        self._threads = [threading.Thread(target=self._send) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, count: int) -> None:
        until = time.monotonic() + 60
        while len(self.accepted) < count:
            assert time.monotonic() < until, f"only {len(self.accepted)} are accepted"
            time.sleep(0.01)

    def _numbers(self) -> Sequence[int]:
        with self._lock:
            self._number += 3
            return range(self._number - 3, self._number)

    def _send(self) -> None:
        with httpx.Client(timeout=30) as client:
            while not self._stop.is_set():
                numbers = self._numbers()
                body = reactions(*numbers)
                try:
                    answer = client.post(self._url, content=body, headers=signed("facebook", body))
                except httpx.TransportError:
                    time.sleep(0.05)  # it is being started again
                    continue
                if answer.status_code == 200:
                    with self._lock:
                        self.accepted |= {str(number) for number in numbers}


def workers(running: RunningReceiver) -> set[int]:
    """The processes that serve."""
    parent = running.process.pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return {int(pid) for pid in children if b"spawn_main" in command_of(int(pid))}


def command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return b""
