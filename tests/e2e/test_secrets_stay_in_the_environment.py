"""Secrets stay in the environment: no file of a home and no output holds one after real runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from resources.embedded_clickhouse.lifecycle import ensure_running, stop
from resources.settings.home import Home

CHECKOUT = Path(__file__).resolve().parents[2]
SECRETS = (
    "kafka-hunter2",
    "slack-hunter2",
    "postgres-hunter2",
    "control-hunter2",
    "aHVudGVyMi1odW50ZXIyLWh1bnRlcjItaHVudGVyMi0=",
)
LIKE = (
    '{"event_id": "a", "event_time": "2026-11-01T10:00:00Z", "account_id": 1, '
    '"post_id": "p1", "user_id": "u1", "metric_type": "like", "value": 1}\n'
)

# A drain like the daemon's: a process whose output Dagster keeps.
DRAIN = """
from functools import partial
from dagster import execute_job
from dagster._core.definitions.reconstruct import ReconstructableRepository
from resources.settings.home import Home
from social_assets.defs.ingestion.jobs import drain_job
from social_assets.alerts.kinds.failed_runs import reason_of
from social_assets.operate.runs.instance import open_instance

drain_job.Limits = partial(drain_job.Limits, away_seconds=2)  # and no longer
repository = ReconstructableRepository.for_module("social_assets.locations.streaming", "defs")
job = repository.get_reconstructable_job("drain_posts")
with open_instance(Home.from_environment()) as instance:
    result = execute_job(job, instance, raise_on_error=False)
    assert not result.success
    print(reason_of(instance, result.run_id))
"""


@pytest.fixture(scope="module")
def environment(deployed_home: Callable[[str], Home]) -> Iterator[dict[str, str]]:
    """An environment with every secret; the URL of ClickHouse is that of the home's own server."""
    home = deployed_home("secrets")
    endpoint = ensure_running(home)
    address = urlsplit(endpoint.url)
    kept = {k: v for k, v in os.environ.items() if not k.startswith("SOCIAL_ASSETS_")}
    yield {
        **kept,
        "SOCIAL_ASSETS_HOME": str(home.path),
        "SOCIAL_ASSETS_CLICKHOUSE_URL": (
            f"http://{endpoint.user}:{endpoint.password}@{address.netloc}"
        ),
        "SOCIAL_ASSETS_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
        "SOCIAL_ASSETS_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "SOCIAL_ASSETS_KAFKA_SASL_MECHANISM": "PLAIN",
        "SOCIAL_ASSETS_KAFKA_SASL_USERNAME": "platform",
        "SOCIAL_ASSETS_KAFKA_SASL_PASSWORD": SECRETS[0],
        "SOCIAL_ASSETS_ALERT_URLS": f"json://127.0.0.1:9/{SECRETS[1]}",
        "SOCIAL_ASSETS_DAGSTER_POSTGRES_URL": f"postgresql://u:{SECRETS[2]}@127.0.0.1:9/d",
        "SOCIAL_ASSETS_CONTROL_URL": f"postgresql://u:{SECRETS[3]}@127.0.0.1:9/d",
        "SOCIAL_ASSETS_SECRET_KEY": SECRETS[4],
        "SOCIAL_ASSETS_LOG_FORMAT": "json",
    }
    stop(home)


@pytest.fixture(scope="module")
def said_by_a_load(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("files") / "likes.ndjson"
    file.write_text(LIKE)
    return run(environment, "-m", "social_assets", "load", "engagement_events", str(file))


@pytest.mark.endurance
def test_no_secret_is_in_the_home_after_a_load_a_drain_that_fails_and_an_alert(
    environment: dict[str, str], said_by_a_load: str
) -> None:
    home = Path(environment["SOCIAL_ASSETS_HOME"])
    password = (home / "clickhouse" / "password").read_text().strip()
    said = [
        said_by_a_load,
        run(environment, "-c", DRAIN, expected=0),
        run(environment, "-m", "social_assets", "alerts", "test"),
        run(environment, "-m", "social_assets", "doctor"),
    ]
    assert "no answer from Kafka at 127.0.0.1:9" in compute_log_of_the_drain(home)
    assert "no answer from Kafka at 127.0.0.1:9" in said[1]  # as the event log tells it
    for secret in (*SECRETS, password):
        assert [text for text in said if secret in text] == []
        files = [p for p in home.rglob("*") if p.is_file() and p.name != "password"]
        assert [p for p in files if secret.encode() in p.read_bytes()] == []


def test_the_steps_of_a_load_log_json_lines_with_run_stream_and_batch(said_by_a_load: str) -> None:
    said = said_by_a_load.splitlines()
    lines = [json.loads(line) for line in said if line.startswith('{"time"')]
    steps = {line["step"]: line for line in lines if "step" in line}
    assert {"land", "clean", "load"} <= set(steps)
    assert len({line["batch_id"] for line in steps.values()}) == 1
    assert len({line["run_id"] for line in steps.values()} - {""}) == 1
    assert {line["stream"] for line in steps.values()} == {"engagement_events"}


def run(environment: dict[str, str], *arguments: str, expected: int | None = None) -> str:
    """The output of a process. Fails if its exit code is not the expected one."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *arguments],
        env=environment,
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert expected in (None, done.returncode), done.stderr
    return done.stdout + done.stderr


def compute_log_of_the_drain(home: Path) -> str:
    """The standard error of the run, as in the UI."""
    kept = (home / "dagster" / "storage").rglob("*.err")
    return "".join(path.read_text() for path in kept)
