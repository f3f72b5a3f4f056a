"""Raw records of the benchmarks of scale: of 14 days, whatever their number, and a little dirty.

Each tenth record is there twice, and each hundredth has no time, so that it is rejected.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np

from resources.clickhouse.resource import ClickHouseResource
from social_assets.contracts.registry import contract
from social_assets.demo.samples.bench_records import BenchBlock, bench_blocks
from social_assets.lake.lake import Lake
from social_assets.pipeline.stores import Stores, StreamStores
from social_assets.pipeline.stream_work import land_files
from social_assets.transform.duckdb_engine import DuckDBEngine

DAYS = 14
UNTIL = datetime(2026, 11, 15)
_FILE_RECORDS = 1_000_000


def stores_in(folder: Path) -> StreamStores:
    """The stores of a stream whose lake is in a folder."""
    lake = Lake(str(folder / "lake"), folder / "locks")
    engine = DuckDBEngine(folder / "spill", queries=folder / "queries")
    return Stores(lake, engine, ClickHouseResource()).of(contract("engagement_events"))


def days() -> list[date]:
    """The days of the records."""
    return [(UNTIL - timedelta(days=back)).date() for back in range(DAYS, 0, -1)]


def land_generated(stores: StreamStores, records: int, *, number_of_days: int = DAYS) -> None:
    """Land files of a million records each, which are deleted; the days end at UNTIL."""
    file = Path(stores.stores.lake.root).parent / "events.ndjson"
    written = 0
    for block in bench_blocks(records, until=UNTIL, days=number_of_days):
        with file.open("ab") as out:
            out.writelines(_dirty(block))
        written += len(block.lines)
        if written % _FILE_RECORDS == 0 or written == records:
            landed = file.rename(file.with_stem(f"events_{written}"))
            land_files(stores, [landed])
            landed.unlink()


def _dirty(block: BenchBlock) -> Iterator[memoryview]:
    """The lines with a time that is none in each hundredth, then each tenth again."""
    before = b'"event_time": "'
    at = bytes(block.lines[0]).index(before) + len(before)
    block.lines[::100, at : at + 4] = np.frombuffer(b"when", np.uint8)
    yield block.lines.data
    yield np.ascontiguousarray(block.lines[::10]).data
