"""A block that is validated in memory gets the same result as in a rebuild of whole days."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from social_assets.contracts.contract import Contract
from social_assets.contracts.registry import contract, contracts
from social_assets.demo.samples import SampleFile, generate
from social_assets.ingest.files.open_file import read_records
from social_assets.lake.schemas import RAW
from social_assets.transform.clean_records import INPUT, validated_records
from social_assets.transform.duckdb_engine import Session, plain
from social_assets.transform.event_dates import EventDates
from social_assets.transform.landed_keys import KEY_HASH, halves
from social_assets.transform.validate_block import BlockValidator

LAST = date(2026, 1, 6)
# Six days: each stream comes in each of its file formats.
DAYS = 6
ARRIVAL = datetime(2026, 1, 6, 9, 30, tzinfo=UTC)

Blocks = Callable[[Contract], list[pa.Table]]


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[SampleFile]:
    folder = tmp_path_factory.mktemp("samples")
    return generate(folder, events=6_000, days=DAYS, end=LAST)


@pytest.fixture(scope="module")
def blocks(samples: list[SampleFile], session: Session) -> Blocks:
    """Rows of raw of one stream's files, in blocks of odd sizes, without event dates."""

    def found(stream: Contract) -> list[pa.Table]:
        files = [file for file in samples if file.stream == stream.name]
        return [block for file in files for block in raw_blocks(stream, file.path, session)]

    return found


def raw_blocks(stream: Contract, path: Path, session: Session) -> Iterator[pa.Table]:
    for records in read_records(stream, path, session.json_records):
        rows = as_raw({name: records.column(name) for name in records.schema.names})
        for start in range(0, rows.num_rows, 701):
            yield rows.slice(start, 701)


def as_raw(records: dict[str, pa.Array], source: str = "file") -> pa.Table:
    count = len(records["value"])
    constant = {
        "source": source,
        "origin": "origin",
        "partition": 0,
        "timestamp": ARRIVAL - timedelta(days=1),
        "ingested_at": ARRIVAL,
        "batch_id": "batch",
        "event_date": None,
        "csv_header": None,
        "key": None,
        "headers": None,
    }
    columns = {
        name: records[name]
        if name in records
        else pa.repeat(pa.scalar(constant[name], RAW.field(name).type), count)
        for name in RAW.names
    }
    return pa.table(columns)


def by_whole_days(session: Session, stream: Contract, raw: pa.Table) -> pa.Table:
    """The result of a rebuild for the same rows, in their order."""
    dates = dates_at_landing(session, stream, raw)
    numbered = raw.set_column(raw.column_names.index("event_date"), "event_date", dates)
    numbered = numbered.set_column(
        numbered.column_names.index("offset"), "offset", pa.array(np.arange(raw.num_rows))
    )
    wanted = plain(pa.schema([RAW.field(name) for name in INPUT]))
    rows = session.rows(numbered.select(list(INPUT)).cast(wanted))
    with validated_records(session, rows, stream) as validated:
        return session.table(validated.order_by("offset"))


def dates_at_landing(session: Session, stream: Contract, raw: pa.Table) -> pa.ChunkedArray:
    """The event dates of the rows when the files land."""
    if stream.event_time is None:
        return raw["timestamp"].cast(pa.date32())
    block = pa.table(
        {
            "record_bytes": raw["value"],
            "csv_header": raw["csv_header"],
            "offset": np.arange(raw.num_rows),
            "timestamp": raw["timestamp"].cast(pa.timestamp("us")),
            "ingested_at": raw["ingested_at"].cast(pa.timestamp("us")),
        }
    )
    return EventDates(session, stream).of(block)


def assert_validated_alike(
    session: Session, stream: Contract, raw: pa.Table, ours: pa.Table
) -> None:
    theirs = by_whole_days(session, stream, raw)
    assert ours.num_rows == raw.num_rows
    compared = [*(c.name for c in stream.cleaned_columns), "reasons", "event_date"]
    for name in compared:
        expected = theirs[name].combine_chunks().cast(ours[name].type)
        assert ours[name].combine_chunks().equals(expected), name


@pytest.mark.parametrize("stream", contracts(), ids=lambda stream: stream.name)
def test_blocks_of_dirty_samples_get_the_reasons_and_dates_of_whole_days(
    stream: Contract, blocks: Blocks, session: Session
) -> None:
    validate = BlockValidator(session, stream)
    raw = blocks(stream)
    validated = [validate.of(block) for block in raw]
    assert_validated_alike(session, stream, pa.concat_tables(raw), pa.concat_tables(validated))
    reasons = pa.concat_tables(validated)["reasons"].to_pylist()
    assert 0 < sum(bool(r) for r in reasons) < len(reasons), "no dirt, or nothing else"


def event(**changed: object) -> bytes:
    record: dict[str, object] = {
        "event_id": "e",
        "event_time": "2026-01-05T12:00:00Z",
        "platform": "X",
        "account_id": 1,
        "post_id": "p",
        "user_id": "u",
        "metric_type": "like",
        "value": 1,
    }
    return json.dumps(record | changed).encode()


LIVE = [
    event(),
    event(event_time="2025-12-29T09:29:59Z"),
    event(event_time="2026-01-06T09:36:00Z"),
    event(event_time="2100-01-01T00:00:00Z"),
    event(event_time="1970-01-01T00:00:00Z"),
    event(event_time=None),
    event(event_time="soon"),
    b"",
    b"\xff\xfe",
    b"\x00" * 40,
    b'{"event_id": "\\ud800"}',
    b"{" * 5_000,
    b"[1, 2]",
    b"null",
]


def test_live_records_get_the_same_reasons_both_ways_tombstones_too(session: Session) -> None:
    stream = contract("engagement_events")
    values = pa.array([*LIVE, None], pa.binary())
    records = {"value": values, "offset": pa.array(np.arange(len(values)))}
    raw = as_raw(records, source="kafka")
    ours = BlockValidator(session, stream).of(raw)
    assert_validated_alike(session, stream, raw, ours)
    reasons = ours["reasons"].to_pylist()
    assert reasons[:4] == [
        "",
        "event_time_too_late",
        "event_time_in_the_future",
        "event_time_in_the_future",
    ]
    assert all(reasons[1:])
    arrived = (ARRIVAL - timedelta(days=1)).date()
    dates = ours["event_date"].to_pylist()
    assert dates[1] == date(2025, 12, 29)
    assert dates[2:] == [arrived] * (len(values) - 2)


def test_a_spelling_met_in_a_later_block_is_read_from_then_on(session: Session) -> None:
    stream = contract("engagement_events")
    validate = BlockValidator(session, stream)

    def block(value: bytes) -> pa.Table:
        return as_raw({"value": pa.array([value]), "offset": pa.array([0])})

    assert validate.of(block(event(value=3)))["value"].to_pylist() == [3.0]
    respelled = event(value=4).replace(b'"value"', b'"VALUE"').replace(b'"event_id"', b'"EventId"')
    for value in (respelled, event(value=3), respelled):
        validated = validate.of(block(value))
        assert validated["reasons"].to_pylist() == [""]
        assert validated["event_id"].to_pylist() == ["e"]


def test_a_block_without_records_has_no_reasons(session: Session) -> None:
    validate = BlockValidator(session, contract("posts"))
    empty = as_raw({"value": pa.array([], pa.binary()), "offset": pa.array([], pa.int64())})
    assert validate.of(empty).num_rows == 0


def test_equal_keys_have_equal_hashes_however_they_are_written(session: Session) -> None:
    stream = contract("live_streaming")
    values = [
        b'{"event_id": 7}',
        b'{"event_id": " 7 "}',
        b'{"Event ID": "7.0"}',
        b'{"event_id": 8}',
    ]
    records = {"value": pa.array(values), "offset": pa.array(np.arange(4))}
    validated = BlockValidator(session, stream).of(as_raw(records))
    pairs = list(zip(*(half.tolist() for half in halves(validated[KEY_HASH])), strict=True))
    assert pairs[0] == pairs[1] == pairs[2] != pairs[3]
