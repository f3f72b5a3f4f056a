"""A standalone cluster of Spark on loopback: a master and two workers of one core each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from resources.machine.ports import free_port

_CLASSES = "org.apache.spark.deploy"
_START_SECONDS = 90


@dataclass(frozen=True)
class SparkCluster:
    """A running cluster: the address of its master, and of the page that tells its state."""

    url: str
    page: str

    def environment(self) -> dict[str, str]:
        """What a person sets for a driver on this machine."""
        arguments = (
            f"--master {self.url} --conf spark.driver.host=127.0.0.1 "
            "--conf spark.driver.bindAddress=127.0.0.1 pyspark-shell"
        )
        return {"PYSPARK_SUBMIT_ARGS": arguments, "PYSPARK_PYTHON": sys.executable}

    def state(self) -> dict[str, Any]:
        """Workers and applications, as the master tells them."""
        with urllib.request.urlopen(f"{self.page}/json/", timeout=10) as answer:  # noqa: S310
            found: dict[str, Any] = json.load(answer)
        return found


@contextmanager
def spark_cluster(folder: Path) -> Iterator[SparkCluster]:
    """Start a cluster for the block. Raises TimeoutError with the log of the master."""
    found = find_spec("pyspark")
    assert found and found.origin
    home = Path(found.origin).parent
    port, page = free_port(), free_port()
    cluster = SparkCluster(f"spark://127.0.0.1:{port}", f"http://127.0.0.1:{page}")
    with ExitStack() as running:
        master = ("Master", "--port", str(port), "--webui-port", str(page))
        log = _start(running, home, folder, *master)
        _await(cluster, 0, log)
        for number in (1, 2):
            name = f"worker-{number}"
            limits = ("--cores", "1", "--memory", "1g", "--work-dir", str(folder / name))
            ports = ("--port", str(free_port()), "--webui-port", str(free_port()))
            _start(running, home, folder, "Worker", *limits, *ports, cluster.url)
        _await(cluster, 2, log)
        yield cluster


def _start(running: ExitStack, home: Path, folder: Path, name: str, *arguments: str) -> Path:
    log = folder / f"{name}-{time.monotonic_ns()}.log"
    spark = [str(home / "bin" / "spark-class"), f"{_CLASSES}.{name.lower()}.{name}"]
    environment = {**os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1"}
    with log.open("w") as out:
        process = subprocess.Popen(
            [*spark, "--host", "127.0.0.1", *arguments],
            stdout=out,
            stderr=subprocess.STDOUT,
            env=environment,
        )
    running.callback(process.wait)
    # Not `terminate`: where this process ignores SIGTERM, its children do, and so does Java.
    running.callback(process.kill)
    return log


def _await(cluster: SparkCluster, workers: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            if cluster.state()["aliveworkers"] >= workers:
                return
        except OSError:
            pass
        if time.monotonic() > deadline:
            raise TimeoutError(f"no cluster with {workers} workers: {log.read_text()[-2000:]}")
        time.sleep(0.3)
