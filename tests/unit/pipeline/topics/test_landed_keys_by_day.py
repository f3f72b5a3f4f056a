"""The keys of a micro-batch are known to the next batch before they are in the lake."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from resources.clickhouse.resource import ClickHouseResource
from social_assets.contracts.registry import contract
from social_assets.lake.lake import Lake
from social_assets.lake.schemas import RAW
from social_assets.pipeline.stores import Stores, StreamStores
from social_assets.pipeline.topics import landed_keys_by_day as landed
from social_assets.pipeline.topics.micro_batch import BatchValidator, clean
from social_assets.transform.duckdb_engine import DuckDBEngine

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
DATES = [NOON - timedelta(days=days) for days in range(3)]


@pytest.fixture
def stores(tmp_path: Path) -> StreamStores:
    lake = Lake(str(tmp_path / "lake"), tmp_path / "locks")
    # Only the warehouse needs it.
    stores = Stores(lake, DuckDBEngine(tmp_path / "spill"), ClickHouseResource())
    return stores.of(contract("engagement_events"))


@pytest.fixture
def validator(stores: StreamStores) -> Iterator[BatchValidator]:
    with stores.engine.session() as session:
        yield BatchValidator(stores, session)


def batch(number: int, keys: range) -> pa.Table:
    """Each key on each date, as rows of raw whose event dates are not known yet."""
    values = [
        json.dumps(
            {
                "event_id": f"e{key}",
                "event_time": at.isoformat(),
                "account_id": 1,
                "metric_type": "like",
                "value": 1,
            }
        ).encode()
        for key in keys
        for at in DATES
    ]
    constant = {
        "source": "kafka",
        "origin": "topic",
        "partition": 0,
        "timestamp": NOON,
        "ingested_at": instant(number),
        "batch_id": "kafka/test",
    }
    columns = {
        name: pa.repeat(pa.scalar(constant.get(name), RAW.field(name).type), len(values))
        for name in RAW.names
    }
    return pa.table({**columns, "value": values, "offset": range(len(values))})


def instant(number: int) -> datetime:
    return NOON + timedelta(seconds=number)


def admitted(validator: BatchValidator, number: int, keys: range) -> int:
    return validator.validate(batch(number, keys), instant(number)).cleaned.num_rows


@pytest.mark.parametrize("held", [landed.HELD_KEYS, 0], ids=["all dates held", "one date held"])
def test_a_key_is_admitted_once_a_date_however_far_its_batch_has_come(
    held: int, validator: BatchValidator, stores: StreamStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landed, "HELD_KEYS", held)
    first = validator.validate(batch(1, range(10)), instant(1))
    assert first.cleaned.num_rows == 10 * len(DATES)
    assert admitted(validator, 2, range(5, 15)) == 5 * len(DATES)
    clean(stores, first)
    assert admitted(validator, 3, range(15)) == 0
    validator.committed(first)
    assert admitted(validator, 4, range(15)) == 0
    assert admitted(validator, 5, range(16)) == len(DATES)
