"""(d) The peer: a plain PySpark Structured Streaming job drains the topic on this machine.

Belongs here: installing PySpark and its jars for Kafka in the benchmark's folder, running
`peer_job`, and measuring it like the platform. `peer_job` has the Spark code.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

from bench.figures import Figure
from bench.live_platform import TOPIC
from bench.processes import GIB, ProcessWatch
from resources.kafka.jars import maven
from resources.kafka.resource import KafkaResource
from resources.settings.home import Home

PYSPARK = "4.2.0"
"""As in peer-pom.xml."""

_HERE = Path(__file__).resolve().parent
_POM = _HERE / "peer-pom.xml"
_JOB = _HERE / "peer_job.py"


def install(folder: Path) -> Path:
    """The Python with PySpark, in `folder` with its jars; installs both if they are absent."""
    python = folder / "venv" / "bin" / "python"
    is_whole = folder / f"pyspark-{PYSPARK}"
    if not is_whole.exists():
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder / "venv", with_pip=True)
        quiet = ("--quiet", "--disable-pip-version-check")
        subprocess.run(
            [str(python), "-m", "pip", "install", *quiet, f"pyspark=={PYSPARK}"], check=True
        )
        copy = ("dependency:copy-dependencies", "-DincludeScope=runtime")
        target = f"-DoutputDirectory={folder / 'jars'}"
        subprocess.run(
            [maven(), "-q", "-B", "-Dstyle.color=never", "-f", str(_POM), *copy, target], check=True
        )
        is_whole.touch()
    return python


def measure(home: Home, folder: Path, records: int, memory: str, watermark: str) -> list[Figure]:
    """Drain the topic, which has `records` events."""
    python = install(folder)
    work = home.path / "peer"
    work.mkdir()
    servers = KafkaResource().client_settings()["bootstrap.servers"]
    with (home.logs / "peer.log").open("w") as log, ProcessWatch(home) as watch:
        started = time.perf_counter()
        done = subprocess.run(
            [
                *(str(python), str(_JOB), "--servers", servers, "--topic", TOPIC),
                *("--folder", str(work), "--jars", str(folder / "jars")),
                *("--memory", memory, "--watermark", watermark),
            ],
            env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            check=False,
        )
        process_seconds = time.perf_counter() - started
    if done.returncode:
        tail = (home.logs / "peer.log").read_text(errors="replace")[-3000:]
        sys.exit(f"the PySpark job ended with exit code {done.returncode}:\n{tail}")
    told = json.loads(done.stdout.splitlines()[-1])
    shutil.rmtree(work)
    if told["events"] != records:
        raise RuntimeError(f"{records:,} events in Kafka are {told['events']:,} in Spark's gold")
    usage = watch.usage()
    return [
        Figure("peer", "events", records, "events"),
        Figure("peer", "Spark's start to gold complete", told["total"], "s"),
        Figure("peer", "rate", records / told["total"], "events/s"),
        Figure("peer", "the process, counting of gold included", process_seconds, "s"),
        *(Figure("peer", f"stage {name}", s, "s") for name, s in told["seconds"].items()),
        *(
            figure
            for role, used in usage.items()
            for figure in (
                Figure("peer", f"CPU, {role}", used.cpu_seconds, "s"),
                Figure("peer", f"peak memory, {role}", used.peak_rss / GIB, "GiB"),
            )
            if figure.value
        ),
    ]
