"""A drain from Kafka to a lake on an S3 server: killed within each commit, and through faults."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from itertools import count

import pytest

from tests.faulty_proxy import Fault, Request, at_random, faulty_proxy
from tests.integration.kafka.drain.drain_bed import Bed, Counts, Stream, events
from tests.lake_of_tests import BUCKET_VARIABLE, FOLDER_VARIABLE
from tests.s3_server import BUCKET, S3Server

pytestmark = [pytest.mark.kafka, pytest.mark.s3, pytest.mark.timeout(900)]

MOST_ATTEMPTS = 20
_COMMIT = re.compile(r"/_delta_log/\d{20}\.json$")

DRAIN = """
import sys
from pathlib import Path
from resources.kafka.resource import KafkaResource
from resources.settings.home import Home
from tests.integration.kafka.drain.drain_bed import Bed, Stream
home, folder, topic = sys.argv[1:]
bed = Bed(Home(Path(home)), KafkaResource(), Path(folder))
Stream(bed.kafka, bed.stores(topic)).drain()
"""


@pytest.fixture(autouse=True)
def bucket(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lakes are in the bucket of the server."""
    for name, value in s3.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(BUCKET_VARIABLE, f"s3://{BUCKET}")
    monkeypatch.setenv(FOLDER_VARIABLE, str(s3.folder))


def killed_at_commit(s3: S3Server, bed: Bed, stream: Stream, number: int, fault: Fault) -> bool:
    """Drain in a process that is killed at its commit of this number; False if it made fewer."""
    commits = count()

    def held(request: Request) -> Fault | None:
        is_commit = request.method == "PUT" and _COMMIT.search(request.path) is not None
        return fault if is_commit and next(commits) == number else None

    with faulty_proxy(s3.port, held) as proxy:
        process = subprocess.Popen(
            [sys.executable, "-c", DRAIN, bed.home.path, bed.folder, stream.topic],
            env={**os.environ, **s3.environment(proxy.port)},
        )
        while not proxy.is_held.wait(0.05) and process.poll() is None:
            pass
        is_held = process.poll() is None
        process.send_signal(signal.SIGKILL)
        ended = process.wait()
        assert is_held or ended == 0, "the drain failed by itself"
        return is_held


@pytest.mark.parametrize("fault", [Fault.HELD_BEFORE, Fault.HELD_AFTER])
def test_a_drain_killed_within_any_commit_loses_and_doubles_nothing(
    s3: S3Server, bed: Bed, fault: Fault
) -> None:
    stream = bed.stream()
    sent = kills = number = 0
    is_held = True
    while is_held:
        # Some arrive again, and one cannot be read: each table has rows of each batch.
        stream.send([*events(range(sent, sent + 40)), *events(range(sent, sent + 5)), b"{"])
        sent += 40
        is_held = killed_at_commit(s3, bed, stream, number, fault)
        kills += is_held
        number += 1
        stream.drain()
        assert stream.counts() == Counts(46 * number, sent, 5 * number, number), f"kill {number}"
    assert kills >= 3, "raw, cleaned and quarantine of a batch"
    undisturbed = bed.again(stream)
    bed.empty()
    undisturbed.drain()
    assert stream.lake() == undisturbed.lake()


def test_a_drain_through_refused_and_cut_requests_loses_and_doubles_nothing(
    s3: S3Server, bed: Bed
) -> None:
    stream = bed.stream()
    faults = at_random(0.1, 2026, Fault.REFUSED, Fault.CUT_BEFORE, Fault.CUT_AFTER)
    with faulty_proxy(s3.port, faults) as proxy:
        # Delta's library holds Python's lock in some calls: a proxy in its process would stand.
        environment = {**os.environ, **s3.environment(proxy.port)}
        for first in range(0, 400, 100):
            stream.send([*events(range(first, first + 100)), *events(range(first, first + 5))])
            for attempt in range(MOST_ATTEMPTS):
                if drained(bed, stream, environment) == 0:
                    break
                assert attempt < MOST_ATTEMPTS - 1
    assert proxy.given.total() >= 10
    assert stream.counts() == Counts(420, 400, 20)


def drained(bed: Bed, stream: Stream, environment: dict[str, str]) -> int:
    """The exit code of a drain in a process."""
    command = [sys.executable, "-c", DRAIN, bed.home.path, bed.folder, stream.topic]
    return subprocess.run(command, env=environment, check=False).returncode
