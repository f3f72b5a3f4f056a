"""What the image runs writes to the volume of the home and to /tmp, and nowhere else.

No container runs here: each process has the file systems of one, in a mount namespace, and the
image's settings. The servers are those of docker/compose.yaml.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from resources.embedded_clickhouse.lifecycle import ensure_running, stop
from resources.machine.ports import free_port
from resources.settings.home import Home
from tests.integration.production.read_only import STATE, ReadOnly, is_possible

pytestmark = [pytest.mark.endurance, pytest.mark.timeout(900)]

DOCKER = Path(__file__).parents[3] / "docker"
PYTHON = os.environ.get("PYTHON_OF_THE_IMAGE", sys.executable)
SOCIAL_ASSETS = [PYTHON, "-m", "social_assets"]
POST = {
    "post_id": "p000462",
    "account_id": 5,
    "platform": "Instagram",
    "content": "Archive footage, the last ten minutes",
    "tags": ["documentary", "film"],
    "media_type": "image",
    "published_at": "2026-11-30T07:09:47Z",
}
REFUSED = ("Read-only file system", "Errno 30")


@pytest.fixture
def clickhouse(tmp_path: Path) -> Iterator[str]:
    """A ClickHouse server elsewhere."""
    other = Home(tmp_path / "other")
    found = ensure_running(other)
    host = found.url.removeprefix("http://")
    yield f"http://{found.user}:{found.password}@{host}"
    stop(other)


@pytest.fixture
def machine(postgres_database: str, clickhouse: str, tmp_path: Path) -> Iterator[ReadOnly]:
    """A machine whose processes have the image's settings and file systems."""
    if not is_possible():
        pytest.skip("this machine lets no process have a mount namespace")
    home, temporary, dagster = (tmp_path / each for each in ("home", "tmp", "dagster"))
    for folder in (home, temporary, dagster):
        folder.mkdir()
    # Dagster's folder as in the image. It is outside of /tmp: what is mounted there hides it.
    instance = Path(f"/var/tmp/instance-{os.getpid()}")  # noqa: S108
    instance.mkdir()
    shutil.copy(DOCKER / "production" / "dagster.yaml", instance)
    shutil.copy(DOCKER / "production" / "workspace.yaml", instance)
    try:
        yield ReadOnly(home, temporary, environment(postgres_database, clickhouse, instance))
    finally:
        shutil.rmtree(instance)


def environment(postgres: str, clickhouse: str, instance: Path) -> Mapping[str, str]:
    """The variables of docker/compose.yaml. No broker answers."""
    return {
        "PATH": f"{Path(PYTHON).parent}:{os.environ['PATH']}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": "/tmp",  # noqa: S108 - as in docker/compose.yaml
        "DAGSTER_HOME": str(instance),
        "SOCIAL_ASSETS_ENVIRONMENT": "production",
        "SOCIAL_ASSETS_LOG_FORMAT": "json",
        "SOCIAL_ASSETS_HOME": STATE,
        "SOCIAL_ASSETS_MACHINE": "compose",
        "SOCIAL_ASSETS_IMAGE": "social-assets",
        "SOCIAL_ASSETS_DOCKER_NETWORK": "social-assets",
        "SOCIAL_ASSETS_LAKE_URL": f"{STATE}/lake",
        "SOCIAL_ASSETS_CLICKHOUSE_URL": clickhouse,
        "SOCIAL_ASSETS_KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}",
        "SOCIAL_ASSETS_KAFKA_SECURITY_PROTOCOL": "PLAINTEXT",
        "SOCIAL_ASSETS_DAGSTER_POSTGRES_URL": postgres,
        "SOCIAL_ASSETS_CONTROL_URL": postgres,
        "SOCIAL_ASSETS_UI_TOKEN": "token-of-the-tests-of-production",
    }


def test_a_write_to_another_place_is_refused(machine: ReadOnly) -> None:
    for place in ("/opt", "/usr/lib", str(DOCKER), machine.environment["DAGSTER_HOME"]):
        tried = machine.run(["touch", f"{place}/written"])
        assert "Read-only file system" in tried.stderr, place
    assert machine.run(["touch", f"{STATE}/written", "/tmp/written"]).returncode == 0  # noqa: S108


def test_a_load_goes_through_to_the_rollups(machine: ReadOnly, tmp_path: Path) -> None:
    (tmp_path / "home" / "posts_2026-11-30.ndjson").write_text(json.dumps(POST))
    done = machine.run([*SOCIAL_ASSETS, "load", "posts", f"{STATE}/posts_2026-11-30.ndjson"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert not any(text in done.stdout + done.stderr for text in REFUSED)
    counted = machine.run([*SOCIAL_ASSETS, "sql", "SELECT post_id FROM star.dim_post"])
    assert str(POST["post_id"]) in counted.stdout, counted.stderr


def test_the_servers_of_compose_become_ready(machine: ReadOnly, tmp_path: Path) -> None:
    ports = {name: str(free_port()) for name in ("streaming", "webserver", "serving", "webhooks")}
    probes = [PYTHON, "-m", "social_assets.operate.up.probes"]
    health = [PYTHON, "-m", "dagster", "api", "grpc-health-check", "-p", ports["streaming"]]
    workspace = tmp_path / "home" / "workspace.yaml"
    workspace.write_text(
        "load_from: [{grpc_server: {host: 127.0.0.1, location_name: streaming, "
        f"port: {ports['streaming']}}}}}]"
    )
    named = f"{STATE}/workspace.yaml"
    commands: Mapping[str, list[str]] = {
        "streaming": [
            *("dagster", "code-server", "start", "-h", "127.0.0.1", "-p", ports["streaming"]),
            *("-m", "social_assets.locations.streaming"),
        ],
        "webserver": [
            *("social_assets.operate.ui.webserver", "-h", "127.0.0.1"),
            *("-p", ports["webserver"], "-w", named),
        ],
        "daemon": ["social_assets.operate.ui.daemon", "run", "-w", named],
        "serving": ["social_assets", "serve", "--port", ports["serving"]],
        "logs": ["social_assets", "ship-logs"],
        "webhooks": ["social_assets", "webhooks", "serve", "--port", ports["webhooks"]],
    }
    asked = {
        "webserver": [*probes, "webserver", ports["webserver"]],
        "daemon": [*probes, "daemon"],
        "serving": [*probes, "serving", ports["serving"]],
        "streaming": health,
    }
    done = machine.run([*SOCIAL_ASSETS, "deploy"])
    assert done.returncode == 0, done.stdout + done.stderr
    with started(machine, commands, tmp_path) as servers:
        for name, question in asked.items():
            await_answer(machine, question, servers[name], tmp_path / f"{name}.log")
        assert [name for name, each in servers.items() if each.poll() is not None] == []
    for name in commands:
        log = (tmp_path / f"{name}.log").read_text()
        assert not any(text in log for text in REFUSED), log


@contextmanager
def started(
    machine: ReadOnly, commands: Mapping[str, list[str]], folder: Path
) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """The servers, each with a log in the folder, until the end of the block."""
    servers = {
        name: machine.start([PYTHON, "-m", *command], folder / f"{name}.log")
        for name, command in commands.items()
    }
    try:
        yield servers
    finally:
        for each in servers.values():
            each.send_signal(signal.SIGTERM)
        for each in servers.values():
            each.wait(timeout=60)


def await_answer(
    machine: ReadOnly, question: list[str], server: subprocess.Popen[bytes], log: Path
) -> None:
    """Ask until the answer is yes, as Docker does."""
    until = time.monotonic() + 240
    while machine.run(question).returncode != 0:
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < until, log.read_text()
        time.sleep(1)
