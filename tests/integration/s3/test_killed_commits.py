"""kill -9 in the middle of each commit to a lake on S3; the same command then completes it."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from itertools import count
from pathlib import Path

import pytest

from resources.clickhouse.resource import ClickHouseResource
from social_assets.demo.samples import generate
from tests.faulty_proxy import Fault, FaultyProxy, Request, faulty_proxy
from tests.integration.pipeline.accounts import contents, counts
from tests.integration.pipeline.killed.kill_me import stores_in
from tests.integration.pipeline.killed.killed_worker import Worker
from tests.s3_server import S3Server

pytestmark = pytest.mark.s3

_COMMIT = re.compile(r"/_delta_log/\d{20}\.json$")


class AtCommit:
    """A fault for the commit of one number, of all tables together, from 0."""

    def __init__(self, number: int | None, fault: Fault | None) -> None:
        self._number = number
        self._fault = fault
        self._numbers = count()
        self.commits = 0

    def __call__(self, request: Request) -> Fault | None:
        if request.method != "PUT" or not _COMMIT.search(request.path):
            return None
        number = next(self._numbers)
        self.commits = number + 1
        return self._fault if number == self._number else None


@contextmanager
def behind_proxy(s3: S3Server) -> Iterator[tuple[FaultyProxy, Worker]]:
    """A worker that reaches the bucket through a proxy, without faults at first."""
    with (
        faulty_proxy(s3.port, lambda _: None) as proxy,
        pytest.MonkeyPatch.context() as environment,
    ):
        for name, value in s3.environment(proxy.port).items():
            environment.setenv(name, value)
        worker = Worker()
        try:
            yield proxy, worker
        finally:
            worker.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("samples")
    samples = generate(folder, events=300, days=2, end=date(2026, 3, 4))
    return [file.path for file in samples if file.stream == "engagement_events"]


@pytest.mark.parametrize("fault", [Fault.HELD_BEFORE, Fault.HELD_AFTER])
def test_a_load_that_is_killed_within_a_commit_is_completed_by_the_same_command(
    s3: S3Server, clickhouse: ClickHouseResource, tmp_path: Path, files: list[Path], fault: Fault
) -> None:
    with clickhouse.client():
        pass  # the workers find it running
    with behind_proxy(s3) as (proxy, worker):
        proxy.faults = counted = AtCommit(None, None)
        assert worker.run("load", tmp_path / "undisturbed", *files)[0] == 0
        undisturbed = contents(stores_in(tmp_path / "undisturbed"))
        assert counted.commits >= 6, "raw, cleaned, quarantine and ledger of a batch"
        for number in range(counted.commits):
            with clickhouse.client() as client:
                client.command("DROP DATABASE cleaned SYNC")
            home = tmp_path / f"killed{number}"
            proxy.faults = AtCommit(number, fault)
            assert worker.kill_when(proxy.is_held, "load", home, *files) == -signal.SIGKILL
            proxy.let_go()
            assert worker.run("load", home, *files)[0] == 0
            counts(stores_in(home))
            assert contents(stores_in(home)) == undisturbed, f"commit {number}, {fault.value}"
        assert proxy.given[fault] == counted.commits
