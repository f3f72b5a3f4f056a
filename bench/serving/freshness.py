"""How old an answer is: from the insert of an event to the answer that has it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from statistics import quantiles

import pyarrow as pa

from resources.clickhouse.resource import ClickHouseResource
from social_assets.contracts.registry import contract
from social_assets.lake.schemas import cleaned_schema
from social_assets.warehouse.loader import Loader, rows_for_warehouse

_EVENTS = 20
_LONGEST = 90.0
_POLL_SECONDS = 0.05

Ask = Callable[[str], bytes]


def print_freshness(ask: Ask) -> None:
    """Events one after the other, without the cache; then one that waits for it."""
    stream = contract("engagement_events")
    loader = Loader(ClickHouseResource(), stream)
    fields = pa.schema([cleaned_schema(stream).field(n) for n in rows_for_warehouse(stream)])
    seconds = []
    for number in range(_EVENTS):
        before = _events(ask, _uncached(number, 0))
        begun = time.perf_counter()
        loader.insert(f"bench-serve-{time.time_ns()}", _event(fields, number))
        seconds.append(_until_more(ask, lambda n, of=number: _uncached(of, n), before, begun))
    print(
        f"event to answer without cache, {_EVENTS} events    p50 {_at(seconds, 50):.2f} s   "
        f"p95 {_at(seconds, 95):.2f} s"
    )
    cached = "/api/v1/query?metrics=events&range=today"
    before, begun = _events(ask, cached), time.perf_counter()
    loader.insert(f"bench-serve-{time.time_ns()}", _event(fields, _EVENTS))
    waited = _until_more(ask, lambda _: cached, before, begun)
    print(f"event to answer with the cache of 60 s, one event just after an answer {waited:.1f} s")


def _until_more(ask: Ask, path: Callable[[int], str], before: float, begun: float) -> float:
    number = 1
    while _events(ask, path(number)) <= before:
        if time.perf_counter() - begun > _LONGEST:
            raise TimeoutError("the answer never had the event")
        time.sleep(_POLL_SECONDS)
        number += 1
    return time.perf_counter() - begun


def _uncached(event: int, number: int) -> str:
    """Another question each time, with the same answer."""
    return f"/api/v1/query?metrics=events&range=today&limit={event * 400 + number % 400 + 1}"


def _events(ask: Ask, path: str) -> float:
    rows = json.loads(ask(path))["rows"]
    return float(rows[0]["events"]) if rows else 0.0


def _event(fields: pa.Schema, number: int) -> pa.RecordBatchReader:
    now = datetime.now(UTC)
    values = {
        "event_id": f"bench-serve-{time.time_ns()}-{number}",
        "event_time": now,
        "event_date": now.date(),
        "platform": "YouTube",
        "account_id": "1",
        "post_id": "bench",
        "user_id": "bench",
        "metric_type": "like",
        "value": 1.0,
        "source": "file",
        "origin": "bench",
        "partition": 0,
        "offset": number,
        "ingested_at": now,
        "batch_id": "bench",
    }
    table = pa.Table.from_pylist([{name: values.get(name) for name in fields.names}], fields)
    return pa.RecordBatchReader.from_batches(fields, table.to_batches())


def _at(seconds: list[float], percent: int) -> float:
    return quantiles(seconds, n=100)[percent - 1]
