"""How many questions a second: the API alone, nginx in front of it, and how old an answer is.

People first arrive at nginx within some seconds, and find nothing kept; then they stay.

`make bench-serve`, or `python -m bench.serving.load --home HOME` on a home with data. Needs `wrk`,
and `nginx` with `libnginx-mod-http-js`, both Debian's. Load generator, API, nginx and ClickHouse
share the machine, so each figure is beside the plain limit of the same run: uvicorn with an
application that sends the same bytes, and nginx with a fixed answer.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from bench.serving.arrival import arrive
from bench.serving.freshness import print_freshness
from resources.machine.ports import free_port
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.control.api_keys import ApiKeys
from social_assets.control.engine import open_engine

_ROOT = Path(__file__).resolve().parents[2]
_SCRIPT = Path(__file__).with_name("ask.lua")
_NJS = Path("/usr/lib/nginx/modules/ngx_http_js_module.so")
_START_SECONDS = 60
_CONNECTIONS = 64
_COLD = 100
"""Questions that are asked one by one."""
_TILES = (
    "metrics=likes&grain=day",
    "metrics=views&grain=day",
    "metrics=comments&grain=day",
    "metrics=engagement&grain=day",
    "metrics=engagement&grain=day&by=platform",
    "metrics=engagement_rate&grain=week",
    "metrics=likes,comments,shares",
    "metrics=engagement&by=platform",
    "metrics=likes&by=weekday",
    "metrics=unique_users",
)
"""What a dashboard of ten tiles asks about an account."""


@dataclass(frozen=True)
class Load:
    """What wrk has measured."""

    requests: int
    seconds: float
    errors: int
    p50: float
    p95: float
    p99: float

    def __str__(self) -> str:
        return (
            f"{self.requests / self.seconds:>9,.0f} requests/s   p50 {self.p50:6.1f} ms   "
            f"p95 {self.p95:6.1f} ms   p99 {self.p99:6.1f} ms   {self.errors} errors of "
            f"{self.requests:,}"
        )


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, help="with data; default a demo of 20,000 events")
    parser.add_argument("--seconds", type=int, default=60, help="of the load on nginx")
    parser.add_argument("--arrival", type=int, default=60, help="seconds in which people arrive")
    parser.add_argument("--questions", type=int, default=3000)
    parser.add_argument("--mix", choices=("accounts", "calendar"), default="accounts")
    given = parser.parse_args()
    for tool in ("wrk", "nginx"):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is missing: apt-get install wrk nginx-light libnginx-mod-http-js")
    with tempfile.TemporaryDirectory() as folder:
        home = Home(given.home or _demo_home(Path(folder)))
        os.environ[ENVIRONMENT_VARIABLE] = str(home.path)
        key = ApiKeys(open_engine(home)).create("bench-serve", per_minute=1_000_000).text
        try:
            measure(home, key, Path(folder), given)
        finally:
            if given.home is None:
                subprocess.run([sys.executable, "-m", "social_assets", "stop"], check=True)


def measure(home: Home, key: str, folder: Path, given: argparse.Namespace) -> None:
    """Each part in turn, on the same server."""
    few, many, api = folder / "few.txt", folder / "many.txt", free_port()
    with serving(home, api):
        few_paths = calendar_questions(_COLD)
        few.write_text("\n".join(few_paths) + "\n")
        body = len(answer_of(api, key, few_paths[0]))
        begun = time.perf_counter()
        for path in few_paths:
            answer_of(api, key, path)
        each = (time.perf_counter() - begun) / len(few_paths) * 1000
        print(f"{len(few_paths)} questions, asked one by one: {each:.1f} ms each")
        with plain_uvicorn(folder, body) as plain:
            print(f"uvicorn, {body} bytes, no work       {load(plain, key, few, 15)}")
        for path in few_paths:
            answer_of(api, key, path)
        print(f"API alone, {_COLD} questions, cached    {load(api, key, few, 15)}")
        make = account_questions if given.mix == "accounts" else calendar_questions
        paths = make(given.questions)
        many.write_text("\n".join(paths) + "\n")
        with nginx(folder, api) as (cached, fixed):
            print(f"nginx, fixed answer, no cache       {load(fixed, key, few, 15)}")
            print(f"nginx, cold: {arrive(cached, key, paths, given.arrival)}")
            answer = load(cached, key, many, given.seconds)
            print(f"nginx, {len(paths):,} questions, {given.seconds:3} s        {answer}")
        print_freshness(lambda path: answer_of(api, key, path))


def account_questions(count: int) -> list[str]:
    """Questions of people who look at an account each: ten tiles over 30 days."""
    accounts = range(1, count // len(_TILES) + 1)
    # Tile by tile: who opens a dashboard asks its tiles one after the other.
    return [
        f"/api/v1/query?{tile}&where.account={account}&range=last_30_days"
        for account, tile in product(accounts, _TILES)
    ]


def calendar_questions(count: int) -> list[str]:
    """Questions that hardly share a query: other ranges, zones and divisions."""
    zones = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Asia/Kolkata")
    metrics = ("likes", "views", "engagement", "reach", "comments")
    divided = ("", "&by=platform")
    found = [
        f"/api/v1/query?metrics={metric}{by}&range=last_{days}_days&grain=day&zone={zone}"
        for days, zone, by, metric in product(range(1, 91), zones, divided, metrics)
    ]
    return found[:count]


def load(port: int, key: str, paths: Path, seconds: int) -> Load:
    """The figures of wrk."""
    command = ["wrk", "-t1", f"-c{_CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s"]
    command += ["-H", f"Authorization: Bearer {key}", "-s", str(_SCRIPT)]
    command += [f"http://127.0.0.1:{port}", "--", str(paths)]
    return figures(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def figures(printed: str) -> Load:
    """What the script has printed."""
    line = next(each for each in printed.splitlines() if each.startswith("FIGURES"))
    _, requests, micros, errors, *percentiles = line.split()
    return Load(int(requests), int(micros) / 1e6, int(errors), *map(float, percentiles))


@contextmanager
def serving(home: Home, port: int) -> Iterator[None]:
    """`social-assets serve` of a home."""
    command = [sys.executable, "-m", "social_assets", "--home", str(home.path), "serve"]
    with ended(subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.DEVNULL)):
        _await(port, "/api/v1/health")
        yield


@contextmanager
def plain_uvicorn(folder: Path, size: int) -> Iterator[int]:
    """The limit of the API: the same server without work."""
    port = free_port()
    (folder / "plain.py").write_text(
        f"BODY = b'x' * {size}\n"
        "HEADERS = [(b'content-length', b'%d' % len(BODY))]\n"
        "async def app(scope, receive, send):\n"
        "    await send({'type': 'http.response.start', 'status': 200, 'headers': HEADERS})\n"
        "    await send({'type': 'http.response.body', 'body': BODY})\n"
    )
    command = [sys.executable, "-m", "uvicorn", "--no-access-log", "--log-level", "error"]
    command += ["--lifespan", "off", "--app-dir", str(folder), "--port", str(port), "plain:app"]
    with ended(subprocess.Popen(command)):
        _await(port, "/")
        yield port


@contextmanager
def nginx(folder: Path, api: int) -> Iterator[tuple[int, int]]:
    """The nginx of docker/ in front of the API, and a fixed answer: their ports."""
    cached, fixed = free_port(), free_port()
    scripts = _ROOT / "docker" / "nginx"
    text = (scripts / "serving.conf").read_text()
    values = {"API": f"127.0.0.1:{api}", "LISTEN": f"127.0.0.1:{cached}"}
    values |= {"CACHE": str(folder / "cache"), "SCRIPTS": str(scripts)}
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value)
    config = folder / "nginx.conf"
    config.write_text(
        # Started by root, its workers would be of a user that cannot read this folder.
        f"{'user root;' if os.getuid() == 0 else ''}\nload_module {_NJS};\ndaemon off;\n"
        f"worker_processes 1;\npid {folder}/nginx.pid;\n"
        f"error_log {folder}/nginx.log;\nevents {{ worker_connections 4096; }}\n"
        f"http {{\n{text}\nserver {{ listen 127.0.0.1:{fixed}; access_log off; "
        "location / { return 200 'x'; } }\n}\n"
    )
    with ended(subprocess.Popen(["nginx", "-c", str(config), "-p", str(folder)])):
        _await(cached, "/api/v1/health")
        yield cached, fixed


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """End a process with the block."""
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def answer_of(port: int, key: str, path: str) -> bytes:
    """The body of an answer."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {key}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        found: bytes = answer.read()
    return found


def _await(port: int, path: str) -> None:
    until = time.monotonic() + _START_SECONDS
    while True:
        try:
            answer_of(port, "", path)
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def _demo_home(folder: Path) -> Path:
    home = folder / "home"
    command = [sys.executable, "-m", "social_assets", "--home", str(home), "demo"]
    subprocess.run([*command, "--events", "20000"], check=True, stdout=subprocess.DEVNULL)
    return home


if __name__ == "__main__":
    main()
