"""A lake on an S3 server that refuses, cuts connections, and stands still for a while."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest

from resources.clickhouse.resource import ClickHouseResource
from social_assets.contracts.registry import contract
from social_assets.demo.samples import generate
from social_assets.lake.delta import Applied, AppliedElsewhereError
from social_assets.lake.row_groups import read_parts, row_groups
from social_assets.lake.storage.errors import LakeStoreError
from social_assets.pipeline.stores import Stores, StreamStores
from social_assets.pipeline.stream_work import ingest_files, rebuild
from social_assets.transform.duckdb_engine import DuckDBEngine
from tests.faulty_proxy import Fault, at_random, faulty_proxy
from tests.integration.lake.test_two_writers import rows
from tests.integration.pipeline.accounts import contents, counts
from tests.lake_of_tests import lake_in
from tests.s3_server import S3Server

pytestmark = pytest.mark.s3

MOST_ATTEMPTS = 20


def stores_at(folder: Path, clickhouse: ClickHouseResource) -> StreamStores:
    stores = Stores(lake_in(folder), DuckDBEngine(folder / "spill"), clickhouse)
    return stores.of(contract("engagement_events"))


def until_done(stores: StreamStores, files: list[Path]) -> int:
    """Load and rebuild; what fails for the storage is repeated. Returns how often it failed."""
    failed = 0
    for attempt in range(MOST_ATTEMPTS):
        try:
            ingest_files(stores, files)
            rebuild(stores, sorted(stores.raw.rows_by_day()))
            return failed
        except (LakeStoreError, AppliedElsewhereError):
            failed += 1
            assert attempt < MOST_ATTEMPTS - 1
    return failed


@pytest.mark.parametrize(
    "faults",
    [
        (Fault.REFUSED, Fault.CUT_BEFORE),
        # What was done and not answered is the worst: a commit that is repeated finds itself.
        (Fault.CUT_AFTER,),
    ],
    ids=["not done", "done and not answered"],
)
def test_a_load_and_a_rebuild_through_faults_give_the_rows_of_undisturbed_ones(
    s3: S3Server,
    clickhouse: ClickHouseResource,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    faults: tuple[Fault, ...],
) -> None:
    samples = generate(tmp_path / "samples", events=300, days=2, end=date(2026, 3, 4))
    files = [file.path for file in samples if file.stream == "engagement_events"]
    undisturbed = stores_at(tmp_path / "undisturbed", clickhouse)
    assert until_done(undisturbed, files) == 0
    expected = contents(undisturbed)
    with clickhouse.client() as client:
        client.command("DROP DATABASE cleaned SYNC")

    disturbed = stores_at(tmp_path / "disturbed", clickhouse)
    with faulty_proxy(s3.port, at_random(0.1, 2026, *faults)) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
        until_done(disturbed, files)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{s3.port}")
    assert proxy.given.total() >= 10
    counts(disturbed)
    assert contents(disturbed) == expected


def test_a_commit_whose_answer_is_lost_is_not_made_twice(
    s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost: list[str] = []

    def first_commit(request: object) -> Fault | None:
        path = str(getattr(request, "path", ""))
        if path.endswith("00000000000000000001.json") and not lost:
            lost.append(path)
            return Fault.CUT_AFTER
        return None

    table = lake_in(tmp_path).table("raw", contract("posts"))
    table.create()
    with faulty_proxy(s3.port, first_commit) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
        batch = Applied("batch-1", 1, is_once=True)
        # It finds its own commit, which it takes for another writer's.
        with suppress(AppliedElsewhereError):
            table.append(rows(table), batch)
        assert table.applied_version("batch-1") == 1
        with pytest.raises(AppliedElsewhereError):
            table.append(rows(table), batch)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{s3.port}")
    assert lost
    assert table.read().num_rows == 1


@pytest.mark.parametrize("has_rows", [True, False], ids=["rows", "no rows"])
def test_days_are_replaced_once_although_the_answer_is_lost(
    s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_rows: bool
) -> None:
    lost: list[str] = []

    def second_commit(request: object) -> Fault | None:
        path = str(getattr(request, "path", ""))
        if path.endswith("00000000000000000002.json") and not lost:
            lost.append(path)
            return Fault.CUT_AFTER
        return None

    table = lake_in(tmp_path).table("raw", contract("posts"))
    table.create()
    table.append(rows(table))
    days = list(table.rows_by_day())
    with faulty_proxy(s3.port, second_commit) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
        new = rows(table) if has_rows else rows(table).slice(0, 0)
        table.replace(days, new.to_reader(), Applied("rebuild-1", 1))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{s3.port}")
    assert lost
    assert table.read().num_rows == (1 if has_rows else 0)
    assert table.applied_version("rebuild-1") == 1


def test_a_write_waits_for_a_server_that_stands_still(s3: S3Server, tmp_path: Path) -> None:
    table = lake_in(tmp_path).table("raw", contract("posts"))
    table.create()
    s3.pause()
    timer = threading.Timer(3, s3.go_on)
    timer.start()
    try:
        table.append(rows(table), Applied("batch-1", 1))
    finally:
        timer.join()
    assert table.read().num_rows == 1


def test_rows_that_cannot_be_read_are_told_like_tables_that_cannot_be_opened(
    s3: S3Server, tmp_path: Path
) -> None:
    table = lake_in(tmp_path).table("raw", contract("posts"))
    table.append(rows(table), Applied("batch-1", 1))
    groups = row_groups(table, table.rows_by_day())
    s3.kill()
    try:
        with pytest.raises(LakeStoreError, match="the same command then goes on"):
            next(read_parts(table, groups, ["value"], part_bytes=1 << 20, part_rows=9))
    finally:
        s3.start()


def test_a_server_that_is_gone_is_named_with_what_to_look_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = lake_in(tmp_path).table("raw", contract("posts"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(LakeStoreError) as raised:
        table.create()
    told = str(raised.value)
    assert f"the lake's table {table.uri} cannot be read or written: http://127.0.0.1:9" in told
    assert "AWS_ENDPOINT_URL" in told and "the same command then goes on" in told
    assert "\x1b" not in told and "\n" not in told
