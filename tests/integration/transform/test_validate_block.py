"""Records are validated in blocks: how they are cut into blocks does not change the results."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from social_assets.contracts.contract import Contract
from social_assets.contracts.registry import contract
from social_assets.demo.samples import SampleFile, generate
from social_assets.demo.samples.sample_set import STREAMS as SAMPLE_STREAMS
from social_assets.ingest.files.open_file import read_records
from social_assets.lake.schemas import RAW
from social_assets.transform.duckdb_engine import Session
from social_assets.transform.landed_keys import KEY_HASH, halves, key_halves
from social_assets.transform.validate_block import BlockValidator, EventDates

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
    """Rows of raw of one stream's files, in blocks of odd sizes, no event date."""

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


@pytest.mark.parametrize("name", [stream.name for stream in SAMPLE_STREAMS])
def test_records_of_dirty_samples_get_the_same_results_in_blocks_of_any_size(
    name: str, blocks: Blocks, session: Session
) -> None:
    stream = contract(name)
    raw = blocks(stream)
    validator = BlockValidator(session, stream)
    in_blocks = pa.concat_tables([validator.of(block) for block in raw])
    at_once = BlockValidator(session, stream).of(pa.concat_tables(raw))
    assert in_blocks.combine_chunks().equals(at_once.combine_chunks())
    dates = EventDates(session, stream)
    in_blocks_alone = pa.concat_tables([dates.of(block) for block in raw])
    assert in_blocks_alone["event_date"].to_pylist() == in_blocks["event_date"].to_pylist()
    reasons = in_blocks["reasons"].to_pylist()
    assert len(reasons) == sum(block.num_rows for block in raw)
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


def test_live_records_get_reasons_and_dates_tombstones_too(session: Session) -> None:
    stream = contract("engagement_events")
    values = pa.array([*LIVE, None], pa.binary())
    records = {"value": values, "offset": pa.array(np.arange(len(values)))}
    raw = as_raw(records, source="kafka")
    ours = BlockValidator(session, stream).of(raw)
    assert EventDates(session, stream).of(raw)["event_date"].equals(ours["event_date"])
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


@pytest.mark.parametrize("spelled", [0, 1, 57, 999])
def test_one_record_that_spells_a_column_otherwise_is_read_wherever_it_stands(
    session: Session, spelled: int
) -> None:
    """Also beside a key that no query can contain."""
    stream = contract("engagement_events")
    strange = r'"user_id\u0000": "no", "User/Id~": "no", "": 1, '
    values = []
    for number in range(1_000):
        name = "User-Id" if number == spelled else "user_id"
        record = {"event_id": f"e{number}", "event_time": ARRIVAL.isoformat(), "account_id": "1"}
        record |= {"metric_type": "like", "value": 1, name: f"u{number}"}  # type: ignore[dict-item]
        values.append(f"{{{strange}{json.dumps(record)[1:]}".encode())
    offsets = pa.array(range(len(values)), pa.int64())
    records = as_raw({"value": pa.array(values, pa.binary()), "offset": offsets})
    answer = BlockValidator(session, stream).of(records)
    assert answer["reasons"].to_pylist() == [""] * len(values)
    assert answer["user_id"].to_pylist() == [f"u{number}" for number in range(1_000)]


def test_a_block_without_records_has_no_reasons(session: Session) -> None:
    validate = BlockValidator(session, contract("posts"))
    empty = as_raw({"value": pa.array([], pa.binary()), "offset": pa.array([], pa.int64())})
    assert validate.of(empty).num_rows == 0


def test_equal_keys_have_equal_hashes_however_they_are_written(session: Session) -> None:
    stream = contract("live_streaming")
    values = [
        b'{"event_id": 7}',
        b'{"event_id": " 7 "}',
        b'{"Event ID": 7.0}',
        b'{"event_id": 8}',
    ]
    records = {"value": pa.array(values), "offset": pa.array(np.arange(4))}
    validated = BlockValidator(session, stream).of(as_raw(records))
    pairs = list(zip(*(half.tolist() for half in halves(validated[KEY_HASH])), strict=True))
    assert pairs[0] == pairs[1] == pairs[2] != pairs[3]


def test_the_halves_of_a_hash_are_those_that_the_engine_gives(session: Session) -> None:
    stream = contract("live_streaming")
    rows = session.rows(pa.table({"event_id": pa.array([7, 8, -1])}))
    values = [b'{"event_id": 7}', b'{"event_id": 8}', b'{"event_id": -1}']
    records = {"value": pa.array(values), "offset": pa.array(np.arange(3))}
    validated = BlockValidator(session, stream).of(as_raw(records))
    high, low = key_halves(rows, stream)
    expected = session.table(rows.select(high=high, low=low))
    ours = halves(validated[KEY_HASH])
    assert [half.tolist() for half in ours] == [c.to_pylist() for c in expected.columns]
