"""Measures the demonstration: seconds, peak memory, and seconds until the UI answers.

Targets: under 90 s and 4 GiB at 1 million events; UI ready in under 20 s. Uses a temporary home.
The peak is the sampled memory of all processes of the demonstration together.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from resources.machine.ports import free_port
from resources.settings.home import Home
from resources.web.token import ui_token

TARGET_SECONDS, TARGET_GIB, TARGET_UI_SECONDS = 90.0, 4.0, 20.0
SAMPLE_SECONDS = 0.25


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    events = parser.parse_args().events
    home = Path(tempfile.mkdtemp(prefix="bench-demo-"))
    environment = {**os.environ, "SOCIAL_ASSETS_HOME": str(home)}
    try:
        seconds, peak = demo(environment, home, events)
        report("demo", seconds, "s", TARGET_SECONDS)
        report("demo peak memory", peak, "GiB", TARGET_GIB)
        report("UI ready", ui_ready(environment), "s", TARGET_UI_SECONDS)
    finally:
        subprocess.run([*command(), "stop"], env=environment, check=False, capture_output=True)
        shutil.rmtree(home)


def command() -> list[str]:
    """The command that runs `social-assets` as a module."""
    return [sys.executable, "-W", "ignore", "-m", "social_assets"]


def demo(environment: dict[str, str], home: Path, events: int) -> tuple[float, float]:
    """Seconds, and peak memory in GiB of the demonstration with its ClickHouse and dbt."""
    started = time.perf_counter()
    peak = 0
    with subprocess.Popen([*command(), "demo", "--events", str(events)], env=environment) as run:
        while run.poll() is None:
            peak = max(peak, resident_bytes(home))
            time.sleep(SAMPLE_SECONDS)
    if run.returncode:
        sys.exit(f"the demo failed with exit code {run.returncode}")
    return time.perf_counter() - started, peak / 2**30


def resident_bytes(home: Path) -> int:
    """Resident memory of every process whose environment names the home."""
    mark = f"SOCIAL_ASSETS_HOME={home}".encode()
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes().split(b"\0"):
                total += int((process / "statm").read_text().split()[1]) * os.sysconf(
                    "SC_PAGE_SIZE"
                )
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # a process that has ended meanwhile, or another user's
    return total


def ui_ready(environment: dict[str, str]) -> float:
    """Seconds from the command to the first answer of the UI with the graph loaded."""
    port = free_port()
    token = ui_token(Home(Path(environment["SOCIAL_ASSETS_HOME"])))
    started = time.perf_counter()
    server = subprocess.Popen(
        [*command(), "dev", "--no-open", "--port", str(port), "--api-port", str(free_port())],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while not answers(port, token):
            if server.poll() is not None:
                sys.exit(f"the UI ended with exit code {server.returncode}")
            time.sleep(SAMPLE_SECONDS)
        return time.perf_counter() - started
    finally:
        os.killpg(server.pid, signal.SIGINT)
        server.wait(30)


def answers(port: int, token: str) -> bool:
    """Whether the UI serves the assets of the code location."""
    body = b'{"query": "{ assetNodes { id } }"}'
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        body,
        {"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - loopback
            return b'"id"' in answer.read()
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


def report(name: str, value: float, unit: str, target: float) -> None:
    """One line: measured value, target, and whether it is met."""
    result = "met" if value <= target else "MISSED"
    print(f"{name:20} {value:8.2f} {unit:4} target {target:g} {unit}: {result}")


if __name__ == "__main__":
    main()
