"""The rows of cleaned and quarantine that the results of a block give."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from social_assets.contracts.registry import contract
from social_assets.lake.schemas import QUARANTINE, cleaned_schema
from social_assets.pipeline.validation.rows import cleaned_rows, rejected_rows, repeated_rows
from social_assets.transform.duckdb_engine import DuckDBEngine, Session
from social_assets.transform.validate_block import BlockValidator
from tests.integration.transform.raw_records import raw_table

EVENTS = contract("engagement_events")
GOOD = (
    b'{"event_id": "e", "event_time": "2026-01-01T08:00:00Z", "account_id": 1,'
    b' "metric_type": "like", "value": 1}'
)
BAD = b'{"event_id": "e", "account_id": ["x"], "metric_type": "like", "value": 1}'


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with DuckDBEngine(tmp_path).session() as session:
        yield session


def test_a_rejected_record_keeps_its_bytes_and_every_reason(session: Session) -> None:
    raw = raw_table([GOOD, BAD, GOOD], None, "file")
    answer = BlockValidator(session, EVENTS).of(raw)
    rejected = rejected_rows(raw, answer, pa.array([False, True, False]))
    assert rejected.schema == QUARANTINE
    (row,) = rejected.to_pylist()
    assert (row["value"], row["verdict"], row["offset"]) == (BAD, "rejected", 2)
    assert row["reasons"] == ["event_time_missing", "account_id_not_text"]


def test_an_accepted_record_has_its_provenance_and_a_duplicate_no_bytes(session: Session) -> None:
    raw = raw_table([GOOD, BAD, GOOD], None, "file")
    answer = BlockValidator(session, EVENTS).of(raw)
    accepted = cleaned_rows(raw, answer, cleaned_schema(EVENTS), pa.array([True, False, True]))
    assert accepted.schema == cleaned_schema(EVENTS)
    assert accepted["offset"].to_pylist() == [1, 3]
    (row,) = repeated_rows(accepted.slice(1)).to_pylist()
    assert (row["value"], row["verdict"], row["offset"]) == (None, "duplicate", 3)
    assert row["reasons"] == ["duplicate"]
