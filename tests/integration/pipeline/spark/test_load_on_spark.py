"""Spark loads large files as one machine does: the same rows, reasons, duplicates and ledger."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from bench.scale.fuzzed_raw import NOW
from resources.clickhouse.resource import ClickHouseResource
from resources.settings.engine import EngineError
from resources.settings.variables import ENGINE, ENGINE_SPARK_BYTES
from social_assets.contracts.registry import contract
from social_assets.demo.samples.fuzzed_records import fuzzed_records
from social_assets.lake.delta import LakeTable
from social_assets.pipeline import load
from social_assets.pipeline.clean import rebuild_days
from social_assets.pipeline.files import file_batches
from social_assets.pipeline.spark import clean_batch, run_job
from social_assets.pipeline.stores import Stores, StreamStores
from social_assets.pipeline.stream_work import ingest_files
from social_assets.transform.duckdb_engine import DuckDBEngine
from tests.integration.pipeline.accounts import contents, counts
from tests.lake_of_tests import lake_in

pytestmark = pytest.mark.spark

DAY = date(2026, 1, 1)
StreamOf = Callable[[str], StreamStores]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several parts and several buckets a day, also of few records."""
    monkeypatch.setattr(run_job, "PART_BYTES", 60_000)
    monkeypatch.setattr(run_job, "BUCKET_ROWS", 200)


def on_spark(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Spark take files of any size."""
    monkeypatch.setenv(ENGINE, "spark")
    monkeypatch.setenv(ENGINE_SPARK_BYTES, "0")


def event(number: int, day: date = DAY, value: int = 1, **more: object) -> str:
    named = {"event_id": f"e{number}", "event_time": f"{day}T12:00:00Z", "account_id": 1}
    return json.dumps(named | {"metric_type": "like", "user_id": "u", "value": value} | more) + "\n"


def dirty(first: int = 0, records: int = 900) -> str:
    """Events of three days: two of three keys come again, and some values are rejected."""
    days = [DAY + timedelta(days=n) for n in range(3)]
    return "".join(
        event(first + n % (records // 3), days[n % 3], -1 if n % 50 == 7 else n)
        for n in range(records)
    )


def dirty_files(folder: Path) -> list[Path]:
    """Files in the formats that people have, with faults of every kind, one after the other."""
    folder.mkdir()
    fuzzed = folder / "fuzzed.ndjson"
    values = (each or b"" for each in fuzzed_records(600, seed=2026, now=NOW))
    fuzzed.write_bytes(
        event(0).encode() + b"".join(each.replace(b"\n", b" ") + b"\n" for each in values)
    )
    plain, zipped = folder / "plain.ndjson", folder / "zipped.ndjson.gz"
    plain.write_text(dirty() + "no record\n\n")
    zipped.write_bytes(gzip.compress(dirty(150).encode()))
    return [fuzzed, plain, zipped]


def ledger(stores: StreamStores) -> list[str]:
    return sorted(str(e) for step in ("raw", "cleaned") for e in stores.ledger.entries(step))


def other(stores: StreamStores, clickhouse: ClickHouseResource, folder: Path) -> StreamStores:
    """The stores of the same stream with nothing in them."""
    with clickhouse.client() as client:
        client.command("DROP DATABASE IF EXISTS cleaned SYNC")
    lake = lake_in(folder)
    return Stores(lake, DuckDBEngine(folder / "spill"), clickhouse).of(contract(stores.name))


def test_dirty_files_have_the_same_result_as_on_one_machine(
    stream: StreamOf,
    clickhouse: ClickHouseResource,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = dirty_files(tmp_path / "files")
    stores = stream("engagement_events")
    expected = ingest_files(stores, files)
    assert not expected.failures
    rows, entered, counted = contents(stores), ledger(stores), counts(stores)
    assert counted.duplicates > 1_000 and counted.rejected > 100 and counted.cleaned > 500
    on_spark(monkeypatch)
    again = other(stores, clickhouse, tmp_path / "spark")
    found = ingest_files(again, files)
    assert [f.batch_id for f in found.landed] == [f.batch_id for f in expected.landed]
    assert found.days == expected.days
    assert contents(again) == rows
    assert (ledger(again), counts(again)) == (entered, counted)
    assert all(each.already for each in ingest_files(again, files).landed)
    assert counts(again) == counted


def test_small_files_stay_on_one_machine(
    stream: StreamOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = stream("engagement_events")
    asked: list[int] = []
    monkeypatch.setattr(run_job, "spark_session", lambda: asked.append(1))
    monkeypatch.setenv(ENGINE, "spark")
    file = tmp_path / "small.ndjson"
    file.write_text(dirty())
    ingest_files(stores, [file])
    assert (counts(stores).raw, asked) == (900, [])
    monkeypatch.setenv(ENGINE_SPARK_BYTES, "1 GB")
    with pytest.raises(EngineError, match="'1 GB'; write a number of bytes"):
        ingest_files(stores, [file])


@pytest.mark.parametrize("died_before", ["clean", "quarantine", "cleaned", "ledger", "load"])
def test_killed_anywhere_the_same_call_completes_the_load(
    stream: StreamOf,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    died_before: str,
) -> None:
    stores = stream("engagement_events")
    file = tmp_path / "large.ndjson"
    file.write_text(dirty())
    earlier = tmp_path / "earlier.ndjson"
    earlier.write_text(event(3) + event(4, DAY + timedelta(days=1)))
    ingest_files(stores, [earlier])
    on_spark(monkeypatch)
    with monkeypatch.context() as dying:
        _die(dying, died_before)
        with pytest.raises(SystemExit):
            ingest_files(stores, [file])
    assert sum(stores.raw.rows_by_day().values()) == 902
    ingest_files(stores, [file])
    found = counts(stores)
    assert (found.raw, found.duplicates > 500, found.rejected) == (902, True, 18)
    days = sorted(stores.raw.rows_by_day())
    tables, entered = contents(stores), ledger(stores)
    rebuild_days(stores, days)
    assert (contents(stores), ledger(stores)) == (tables, entered)


def _die(dying: pytest.MonkeyPatch, before: str) -> None:
    """Let the process end just before a step."""

    def killed(*_: Any) -> None:
        raise SystemExit("killed here")

    append_by = LakeTable.append_by

    def append_some(table: LakeTable, *arguments: Any) -> None:
        if f"/{before}/" in table.uri:
            killed()
        append_by(table, *arguments)

    if before == "clean":
        dying.setattr(run_job, "spark_session", killed)
    elif before == "ledger":
        dying.setattr(clean_batch, "enter_cleaned", killed)
    elif before == "load":
        dying.setattr(file_batches, "load_batch", killed)
    else:
        dying.setattr(LakeTable, "append_by", append_some)


def test_a_batch_that_executors_cannot_validate_is_quarantined_and_the_stream_continues(
    stream: StreamOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = stream("engagement_events")
    bad, good = tmp_path / "bad.ndjson", tmp_path / "good.ndjson"
    bad.write_text(event(1) + event(2))
    good.write_text(event(3))
    on_spark(monkeypatch)

    # Within the test, so that it travels to executors as a value.
    def cannot(job: bytes, parts: Any, buckets: Any, numbers: Any) -> Any:
        from pyarrow import ArrowInvalid

        from social_assets.pipeline.spark.tasks import validate_parts
        from social_assets.transform.validate_block import BlockValidator

        def fails(*_: Any) -> None:
            raise ArrowInvalid("no such text")

        before, BlockValidator.of = BlockValidator.of, fails  # type: ignore[assignment]
        try:
            yield from validate_parts(job, parts, buckets, numbers)
        finally:
            BlockValidator.of = before  # type: ignore[method-assign]

    monkeypatch.setattr(run_job, "validate_parts", cannot)
    ingest_files(stores, [bad])
    monkeypatch.undo()
    ingest_files(stores, [good])
    [told] = stores.quarantined_batches.all().values()
    assert told.origin == "bad.ndjson" and "ArrowInvalid: no such text" in told.reason
    assert sum(stores.cleaned.rows_by_day().values()) == 1


def test_rows_of_several_buckets_reach_the_warehouse_in_small_ranges(
    stream: StreamOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = stream("engagement_events")
    file = tmp_path / "large.ndjson"
    file.write_text("".join(event(n) for n in range(2_000)))
    on_spark(monkeypatch)
    ranges: list[int] = []
    within = load._within

    def noted(*arguments: Any) -> Any:
        ranges.append(1)
        return within(*arguments)

    monkeypatch.setattr(load, "_within", noted)
    monkeypatch.setattr(DuckDBEngine, "part_bytes", 40_000)
    ingest_files(stores, [file])
    assert counts(stores).warehouse == 2_000
    assert len(ranges) > 1
