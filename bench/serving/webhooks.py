"""How many webhook deliveries a second: answered 200, and durable by then.

`python -m bench.serving.webhooks` with Kafka behind (needs Java 17 and Maven), `--files` without.
Needs Debian's `wrk`. Load generator, receiver and broker share the machine. Each delivery is signed
and holds one reaction. At the end the events in Kafka's topic, or in the files, are counted.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.serving.load import Load, ended
from resources.kafka import broker
from resources.kafka.resource import KafkaResource
from resources.machine.ports import free_port
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.contracts.registry import contract
from social_assets.control.collection.webhook_secrets import WebhookSecretStore
from social_assets.control.engine import open_engine
from social_assets.ingest.webhooks.events import NOTICES

_SCRIPT = Path(__file__).with_name("push.lua")
_SECRET = "secret-of-the-benchmark"  # noqa: S105
_DELIVERIES = 20_000
_START_SECONDS = 120


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", action="store_true", help="without Kafka")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--connections", type=int, default=64)
    given = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing: apt-get install wrk")
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home")
        os.environ[ENVIRONMENT_VARIABLE] = str(home.path)
        engine = open_engine(home)
        WebhookSecretStore(engine, home).put_secret("Facebook", _SECRET)
        engine.dispose()
        deliveries = Path(folder) / "deliveries.txt"
        _write_deliveries(deliveries)
        try:
            if not given.files:
                broker.start(home)
            with receiving(home, given.processes) as port:
                load(port, deliveries, 3, given.connections)
                before = stored(home)
                cpu = _cpu_seconds(port), _cpu_of_broker(home)
                found = load(port, deliveries, given.seconds, given.connections)
                taken = _cpu_seconds(port) - cpu[0], _cpu_of_broker(home) - cpu[1]
            events = stored(home) - before
        finally:
            broker.stop(home)
    print(f"{given.connections} connections, {given.processes} processes  {found}")
    each = [round(seconds / found.requests * 1e6) for seconds in taken]
    print(f"{events:,} events are stored; CPU us each: receiver {each[0]}, broker {each[1]}")


def stored(home: Home) -> int:
    """The events that are durable now."""
    if KafkaResource().is_configured():
        offsets = KafkaResource().offsets(contract(NOTICES).kafka_topic)
        return sum(offsets.end.values()) if offsets else 0
    folder = home.landing / NOTICES
    paths = folder.iterdir() if folder.is_dir() else ()
    return sum(path.read_bytes().count(b"\n") for path in paths)


def load(port: int, deliveries: Path, seconds: int, connections: int) -> Load:
    """The figures of wrk."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"]
    command += ["-s", str(_SCRIPT), f"http://127.0.0.1:{port}", "--", str(deliveries)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    line = next(each for each in printed.splitlines() if each.startswith("FIGURES"))
    _, requests, micros, errors, *percentiles = line.split()
    return Load(int(requests), int(micros) / 1e6, int(errors), *map(float, percentiles))


@contextmanager
def receiving(home: Home, processes: int) -> Iterator[int]:
    """`social-assets webhooks serve` of a home."""
    port = free_port()
    command = [sys.executable, "-m", "social_assets", "--home", str(home.path), "webhooks", "serve"]
    command += ["--port", str(port), "--processes", str(processes)]
    with ended(subprocess.Popen(command, stdout=subprocess.DEVNULL)):
        _await(port)
        yield port


def _write_deliveries(path: Path) -> None:
    lines = []
    for number in range(_DELIVERIES):
        now = int(time.time())
        value = {
            "item": "reaction",
            "verb": "add",
            "reaction_type": "love",
            "post_id": "100000000000201_302",
            "parent_id": "100000000000201_302",
            "from": {"id": str(900_000_000_000_000 + number), "name": "Lee"},
            "created_time": now,
        }
        changes = [{"field": "feed", "value": value}]
        entry = {"id": "100000000000201", "time": now, "changes": changes}
        body = json.dumps({"object": "page", "entry": [entry]}).encode()
        mac = hmac.new(_SECRET.encode(), body, hashlib.sha256).hexdigest()
        lines.append(f"sha256={mac} {body.decode()}\n")
    path.write_text("".join(lines))


def _await(port: int) -> None:
    until = time.monotonic() + _START_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60)
        except urllib.error.HTTPError:
            return  # it answers
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def _cpu_seconds(port: int) -> float:
    """User and system time of the receiver: of all processes of its command and their children."""
    total = 0.0
    parents = {
        path.parent.name
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if f"--port\0{port}\0".encode() in _read(path)
    }
    for path in Path("/proc").glob("[0-9]*/stat"):
        fields = _read(path).rpartition(b")")[2].split()
        if fields and (path.parent.name in parents or fields[1].decode() in parents):
            total += _cpu_in(path)
    return total


def _cpu_of_broker(home: Home) -> float:
    pid = broker.process_id(home)
    return 0.0 if pid is None else _cpu_in(Path(f"/proc/{pid}/stat"))


def _cpu_in(path: Path) -> float:
    fields = _read(path).rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


if __name__ == "__main__":
    main()
