"""Values of Parquet become JSON without a loss, so that raw holds what the file holds."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from social_assets.transform.duckdb_engine import Session

RELAXED = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def as_json(session: Session, values: list[Any], kind: pa.DataType) -> list[Any]:
    """What a column `x` of these values is in raw."""
    rows = pa.RecordBatch.from_arrays([pa.array(values, kind)], names=["x"])
    records = session.json_records(rows, 1).column("value").to_pylist()
    return [json.loads(record)["x"] for record in records]


def test_binary_that_is_utf8_is_text(session: Session) -> None:
    values = [b"It's a caf\xc3\xa9", None, b"", b"\xff\x00'"]
    read = ["It's a café", None, "", "\\xFF\\x00\\x27"]
    assert as_json(session, values, pa.binary()) == read
    assert as_json(session, values, pa.large_binary()) == read
    assert as_json(session, [[b"a", None], None], pa.list_(pa.binary())) == [["a", None], None]
    struct = pa.struct({"A": pa.binary(), "n": pa.int64()})
    assert as_json(session, [{"A": b"a'", "n": 1}, None], struct) == [{"A": "a'", "n": 1}, None]


def test_decimals_keep_every_digit(session: Session) -> None:
    kind = pa.decimal128(38, 10)
    values = ["570306000000000001", "-12.5", "0", "1E-10", "100", "9007199254740993.25"]
    assert as_json(session, [Decimal(value) for value in values], kind) == [
        *("570306000000000001", "-12.5", "0", "0.0000000001", "100", "9007199254740993.25")
    ]
    assert as_json(session, [Decimal(2**63 + 1), None], pa.decimal128(38, 0)) == [
        *(str(2**63 + 1), None)
    ]
    assert as_json(session, [[Decimal("1.50")]], pa.list_(pa.decimal128(9, 2))) == [["1.5"]]


def test_nan_is_a_missing_number(session: Session) -> None:
    assert as_json(session, [12345.0, float("nan"), None], pa.float64()) == [12345.0, None, None]


def test_columns_that_differ_in_case_and_other_types_stay(session: Session) -> None:
    rows = pa.RecordBatch.from_pydict(
        {"os": [b"a"], "OS": [b"b"], "t": [datetime(2026, 1, 2, 3)], "d": [date(2026, 1, 2)]}
        | {"n": [2**63 - 1]}
    )
    (record,) = session.json_records(rows, 1).column("value").to_pylist()
    read = {"os": "a", "OS": "b", "t": "2026-01-02 03:00:00", "d": "2026-01-02", "n": 2**63 - 1}
    assert json.loads(record) == read


@given(st.lists(st.none() | st.decimals(-(10**20), 10**20, places=10), min_size=1, max_size=50))
@RELAXED
def test_any_decimal_is_exact(session: Session, values: list[Decimal | None]) -> None:
    read = as_json(session, values, pa.decimal128(38, 10))
    assert [None if text is None else Decimal(text) for text in read] == values


@given(st.lists(st.none() | st.text() | st.binary(max_size=20), min_size=1, max_size=50))
@RELAXED
def test_any_text_in_binary_columns_is_read(
    session: Session, values: list[str | bytes | None]
) -> None:
    stored = [value.encode() if isinstance(value, str) else value for value in values]
    read = as_json(session, stored, pa.binary())
    for value, text in zip(values, read, strict=True):
        assert text == value or isinstance(value, bytes)
