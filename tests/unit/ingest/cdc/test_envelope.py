"""Records as Debezium's PostgreSQL connector 3.4.3 wrote them become the right cleaned rows.

`debezium_3_4.ndjson` holds what it wrote for a snapshot, an update, a change of the key, deletes, a
transaction, COPY, a new column and TRUNCATE: `public.orders` with REPLICA IDENTITY FULL,
`public.dflt` with the default. Only texts of 4,000 letters were cut to 8.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandera.ibis as pa
import pyarrow
import pytest

from social_assets.contracts.contract import Contract, RowChange
from social_assets.lake.schemas import RAW
from social_assets.transform.duckdb_engine import DuckDBEngine
from social_assets.transform.validate_block import BlockValidator

RECORDED = Path(__file__).parent / "debezium_3_4.ndjson"
ARRIVAL = datetime(2026, 11, 29, 6, 30, tzinfo=UTC)


class Order(RowChange):
    """Changes of public.orders."""

    order_id: int = pa.Field(metadata={"source": "id"}, ge=1)
    region: str = pa.Field()
    note: str = pa.Field(nullable=True)
    big: str = pa.Field(nullable=True)
    amount: str = pa.Field(nullable=True)
    f: float = pa.Field(nullable=True, ge=0)
    at: datetime = pa.Field(nullable=True)
    day: datetime = pa.Field(nullable=True, metadata={"source": "d"})
    ok: bool = pa.Field(nullable=True)
    js: str = pa.Field(nullable=True)
    tags: list[str] = pa.Field(nullable=True)
    n: int = pa.Field(nullable=True)
    c: str = pa.Field(nullable=True)
    extra: str = pa.Field(nullable=True)
    status: str = pa.Field(default="open", isin=["open", "paid"])


class Default(RowChange):
    """Changes of public.dflt."""

    id: int = pa.Field()
    note: str = pa.Field(nullable=True)
    big: str = pa.Field(nullable=True)


ORDERS = Contract.of_changes(
    "orders",
    model=Order,
    table="public.orders",
    primary_key=("order_id", "region"),
    owner="team:shop",
)
DEFAULTS = Contract.of_changes(
    "dflt", model=Default, table="public.dflt", primary_key=("id",), owner="team:shop"
)

Record = tuple[bytes | None, bytes | None]
"""Key and value."""
Row = dict[str, Any]


def validated(contract: Contract, records: Sequence[Record], folder: Path) -> list[Row]:
    """The answer about each record: its cleaned row, and `reasons`."""
    count = len(records)
    columns: dict[str, Any] = {
        "value": pyarrow.array([value for _, value in records], pyarrow.binary()),
        "key": pyarrow.array([key for key, _ in records], pyarrow.binary()),
        "csv_header": pyarrow.nulls(count, pyarrow.string()),
        "source": ["kafka"] * count,
        "origin": ["topic"] * count,
        "partition": [0] * count,
        "offset": range(count),
        "timestamp": [ARRIVAL] * count,
        "ingested_at": [ARRIVAL] * count,
        "batch_id": ["batch"] * count,
        "event_date": [ARRIVAL.date()] * count,
    }
    schema = pyarrow.schema([RAW.field(name) for name in columns])
    with DuckDBEngine(folder).session() as session:
        answer = BlockValidator(session, contract).of(pyarrow.table(columns).cast(schema))
    rows: list[Row] = answer.to_pylist()
    return rows


def recorded(topic: str) -> list[Record]:
    lines = [json.loads(line) for line in RECORDED.read_text().splitlines()]
    return [
        tuple(None if line[part] is None else line[part].encode() for part in ("key", "value"))
        for line in lines
        if line["topic"] == topic
    ]


def shown(rows: Sequence[Row], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


def change(op: str, **row: Any) -> bytes:
    """An envelope with the row after it, or before a delete."""
    part = "before" if op == "d" else "after"
    source = {"ts_us": 1_795_933_701_147_342, "lsn": 26, "txId": 7, "snapshot": "false"}
    envelope = {"before": None, "after": None, part: row, "op": op, "source": source}
    return json.dumps(envelope).encode()


def test_each_recorded_change_of_a_table_is_a_row(tmp_path: Path) -> None:
    rows = validated(ORDERS, recorded("shop.public.orders"), tmp_path)
    assert {row["reasons"] for row in rows} == {""}
    assert shown(rows, "change_op", "order_id", "region", "n", "extra") == [
        ("read", 1, "eu", 9007199254740993, None),
        ("read", 2, "us", None, None),
        ("update", 1, "eu", 9007199254740993, None),
        ("delete", 1, "eu", 9007199254740993, None),
        ("tombstone", 1, "eu", None, None),
        ("create", 10, "eu", 9007199254740993, None),
        ("delete", 10, "eu", 9007199254740993, None),
        ("tombstone", 10, "eu", None, None),
        ("create", 3, "x", None, None),
        ("update", 3, "x", 1, None),
        ("update", 3, "x", 2, None),
        ("delete", 3, "x", 2, None),
        ("tombstone", 3, "x", None, None),
        ("create", 3, "x", 9, None),
        ("create", 7, "q", None, None),
        ("create", 8, "q", None, None),
        ("update", 2, "us", None, "e"),
        ("truncate", 0, "", None, None),
    ]


def test_values_of_a_recorded_change_are_those_of_the_table(tmp_path: Path) -> None:
    first = validated(ORDERS, recorded("shop.public.orders"), tmp_path)[0]
    assert shown([first], *list(Order.to_schema().columns)[6:]) == [
        (
            *(1, "eu", "  x ", "aaaaaaaa", "1234567890123.1000", 0.1),
            datetime(2024, 1, 2, 3, 4, 5, 123456),
            datetime(2024, 1, 2),
            *(True, '{"a": 1.10}', ["a", "b", "c d"], 9007199254740993, "ab   ", None, "open"),
        )
    ]
    assert first["change_lsn"] == 22234560
    assert first["change_position"] == "00000000015345C0/r"
    assert first["change_transaction"] == 732
    assert first["changed_at"] == datetime(2026, 11, 29, 6, 27, 57, 746189)


def test_the_placeholder_of_an_unchanged_toasted_value_is_no_value(tmp_path: Path) -> None:
    rows = validated(DEFAULTS, recorded("shop.public.dflt"), tmp_path)
    assert shown(rows, "change_op", "id", "note", "big", "unsent_columns") == [
        ("read", 1, "one", "bbbbbbbb", []),
        ("update", 1, "two", None, ["big"]),
        ("delete", 1, None, None, []),
        ("tombstone", 1, None, None, None),
        ("create", 5, "two", None, ["big"]),
        ("delete", 5, None, None, []),
        ("tombstone", 5, None, None, None),
        ("create", 9, "n", "", []),
    ]


def test_changes_of_one_row_in_one_transaction_have_positions_in_their_order(
    tmp_path: Path,
) -> None:
    rows = validated(ORDERS, recorded("shop.public.orders"), tmp_path)
    of_row = [row for row in rows if row["order_id"] == 3 and row["change_lsn"]]
    positions = [row["change_position"] for row in of_row]
    assert positions == sorted(positions)
    assert len({*positions}) == len(positions) == 5


def test_an_unsent_column_is_named_as_the_contract_names_it(tmp_path: Path) -> None:
    unsent = "__debezium_unavailable_value"
    record = change("u", id=1, region="eu", d=unsent, tags=[unsent], other=unsent)
    (row,) = validated(ORDERS, [(None, record)], tmp_path)
    assert row["reasons"] == ""
    assert row["unsent_columns"] == ["day", "tags"]
    assert (row["day"], row["tags"]) == (None, None)


def test_rules_of_a_column_do_not_reject_a_row_that_is_gone(tmp_path: Path) -> None:
    bad = {"id": 1, "region": "eu", "status": "lost", "f": -1.0, "at": "never"}
    records = [(None, change("u", **bad)), (None, change("d", **bad))]
    kept, gone = validated(ORDERS, records, tmp_path)
    assert set(kept["reasons"].split(";")) == {
        "status_isin",
        "f_greater_than_or_equal_to",
        "at_not_timestamp",
    }
    assert gone["reasons"] == ""
    (without_key,) = validated(ORDERS, [(None, change("d", id=0, region="eu"))], tmp_path)
    assert without_key["reasons"] == "order_id_greater_than_or_equal_to"


def test_a_change_is_never_too_late_or_too_early(tmp_path: Path) -> None:
    def at(year: int) -> Record:
        stamp = int(datetime(year, 6, 1, tzinfo=UTC).timestamp() * 1_000_000)
        source = {"ts_us": stamp, "lsn": 1, "snapshot": "false"}
        envelope = {"op": "c", "after": {"id": 1, "region": "eu"}, "source": source}
        return None, json.dumps(envelope).encode()

    late, early = validated(ORDERS, [at(2020), at(2027)], tmp_path)
    assert (late["reasons"], early["reasons"]) == ("", "")


def test_the_schema_of_the_converter_is_looked_through(tmp_path: Path) -> None:
    def wrapped(payload: object) -> bytes:
        return json.dumps({"schema": {"type": "struct"}, "payload": payload}).encode()

    key = wrapped({"id": 1, "region": "eu"})
    envelope = json.loads(change("c", id=1, region="eu", note=""))
    rows = validated(ORDERS, [(key, wrapped(envelope)), (key, wrapped(None))], tmp_path)
    assert shown(rows, "change_op", "order_id", "note", "reasons") == [
        ("create", 1, "", ""),
        ("tombstone", 1, None, ""),
    ]


def test_rows_of_an_incremental_snapshot_are_updates(tmp_path: Path) -> None:
    envelope = json.loads(change("r", id=1, region="eu"))
    envelope["source"]["snapshot"] = "incremental"
    (row,) = validated(ORDERS, [(None, json.dumps(envelope).encode())], tmp_path)
    assert row["change_op"] == "update"


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        (None, b"{", "record_not_json_object"),
        (None, b"\xff{}", "record_not_utf8"),
        (None, None, "record_not_json_object"),
        (b"no key", None, "record_not_json_object"),
        (b"[1]", None, "record_not_json_object"),
        (None, b"[]", "change_op_missing"),
        (None, b'{"change_op": "delete", "id": 1, "region": "eu"}', "change_op_missing"),
        (None, b'{"op": "c", "after": {"id": 1, "region": "eu"}}', "change_op_missing"),
        (
            None,
            b'{"op": "c", "after": {"id": 1, "region": "eu"}, "source": {"lsn": "x", "ts_us": 9}}',
            "change_position_missing",
        ),
        (
            None,
            b'{"op": "c", "after": 7, "source": {"lsn": 1, "ts_ms": 1795933701147}}',
            "order_id_missing",
        ),
        (
            None,
            b'{"op": "c", "after": {"id": 1}, "source": {"lsn": 1, "ts_us": 99999999999999999999}}',
            "changed_at_missing",
        ),
        (None, b'{"a":' * 100_000, "record_not_json_object"),
    ],
)
def test_what_is_no_change_is_rejected(
    key: bytes | None, value: bytes | None, reason: str, tmp_path: Path
) -> None:
    good = (None, change("c", id=1, region="eu"))
    bad, fine = validated(ORDERS, [(key, value), good], tmp_path)
    assert reason in bad["reasons"].split(";")
    assert fine["reasons"] == ""
