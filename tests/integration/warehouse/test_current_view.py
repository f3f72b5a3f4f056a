"""`current.<stream>` is the table as the changes left it, however they came."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.user_module import import_file
from social_assets.contracts.contract import Contract
from social_assets.lake.schemas import RAW
from social_assets.pipeline.stores import Stores, StreamStores
from social_assets.pipeline.topics.micro_batch import BatchValidator, clean, land
from social_assets.pipeline.topics.micro_batch import load as load_micro_batch
from social_assets.transform.duckdb_engine import DuckDBEngine
from social_assets.warehouse.micro_batch_loader import micro_batch_loader
from tests.integration.warehouse.conftest import WarehouseUnderTest
from tests.lake_of_tests import lake_in

EXAMPLE = Path(__file__).parents[3] / "examples" / "change_capture" / "orders.py"
BEGIN = datetime(2026, 1, 1, 12, tzinfo=UTC)
UNSENT = "__debezium_unavailable_value"

Row = dict[str, Any]


class Table:
    """A stream of changes, and the operations of a database on the table that it is of."""

    def __init__(self, stores: StreamStores, warehouse: WarehouseUnderTest) -> None:
        self._stores = stores
        self._warehouse = warehouse
        self._lsn, self._offset, self._batch = count(1000, 8), count(), count()
        self._records: list[tuple[int, bytes | None, bytes | None]] = []
        stores.loader.prepare()

    def change(
        self,
        op: str,
        row: Row | None = None,
        *,
        lsn: int | None = None,
        snapshot: str = "false",
    ) -> None:
        part = "before" if op == "d" else "after"
        lsn = next(self._lsn) if lsn is None else lsn
        stamp = int((BEGIN + timedelta(seconds=lsn)).timestamp() * 1_000_000)
        source = {"ts_us": stamp, "lsn": lsn, "txId": 1, "snapshot": snapshot}
        envelope = {"before": None, "after": None, part: row, "op": op, "source": source}
        self._records.append((next(self._offset), None, json.dumps(envelope).encode()))

    def tombstone(self, order_id: int) -> None:
        key = json.dumps({"id": order_id, "region": "eu"}).encode()
        self._records.append((next(self._offset), key, None))

    def again(self, first: int) -> None:
        """Send the records from this one on again, as a connector does that was killed."""
        self._records += [(next(self._offset), *record[1:]) for record in self._records[first:]]

    def land(self) -> None:
        """Land what was sent as one micro-batch."""
        records, self._records = self._records, []
        arrived = BEGIN + timedelta(hours=1, seconds=next(self._batch))
        constants = {
            "source": "kafka",
            "origin": "topic",
            "ingested_at": arrived,
            "timestamp": arrived,
            "batch_id": "b",
            "partition": 0,
        }
        columns: dict[str, Any] = {name: [v] * len(records) for name, v in constants.items()}
        columns |= {
            name: [record[place] for record in records]
            for place, name in enumerate(("offset", "key", "value"))
        }
        rows = pa.table(
            {
                field.name: pa.array(columns.get(field.name, [None] * len(records)), field.type)
                for field in RAW
            }
        )
        stores = self._stores
        with stores.lock(), stores.engine.session() as session:
            batch = BatchValidator(stores, session).validate(rows, arrived)
            assert batch.error is None
            land(stores, batch, [])
            clean(stores, batch)
            with micro_batch_loader(stores.loader) as loader:
                load_micro_batch(stores, loader, arrived, batch.cleaned)

    def rows(self, columns: str = "order_id, note") -> list[tuple[Any, ...]]:
        query = f"SELECT {columns} FROM current.orders ORDER BY order_id"
        return [tuple(row) for row in self._warehouse.client.query(query).result_rows]


def row(order_id: int, **others: Any) -> Row:
    return {"id": order_id, "region": "eu"} | others


@pytest.fixture
def table(deployed: WarehouseUnderTest, tmp_path: Path) -> Table:
    """The example's table, without rows."""
    for name in ("cleaned.orders", "current.orders"):
        deployed.client.command(f"DROP TABLE IF EXISTS {name} SYNC")
    stores = Stores(
        lake_in(tmp_path),
        DuckDBEngine(tmp_path / "spill"),
        ClickHouseResource(),
    )
    return Table(stores.of(orders()), deployed)


def orders() -> Contract:
    module = import_file(EXAMPLE, "orders_of_the_example")
    assert module is not None
    contract = module.CONTRACT
    assert isinstance(contract, Contract)
    return contract


def test_the_newest_change_of_a_key_is_its_row(table: Table) -> None:
    table.change("r", row(1, note="first"), snapshot="last")
    table.change("u", row(1, note="second"))
    table.change("c", row(2, note="other"))
    table.land()
    assert table.rows() == [(1, "second"), (2, "other")]
    table.change("u", row(1, note="third"))
    table.land()
    assert table.rows() == [(1, "third"), (2, "other")]


def test_a_value_that_became_null_is_null(table: Table) -> None:
    table.change("c", row(1, note="text", amount=2.5, is_gift=True))
    table.change("u", row(1, note=None, amount=None, is_gift=None))
    table.land()
    assert table.rows("order_id, note, amount, is_gift") == [(1, None, None, None)]


def test_a_deleted_row_is_gone_until_it_is_created_again(table: Table) -> None:
    table.change("c", row(1, note="a"))
    table.change("d", row(1))
    table.tombstone(1)
    table.land()
    assert table.rows() == []
    table.change("c", row(1, note="b"))
    table.land()
    assert table.rows() == [(1, "b")]


def test_a_tombstone_alone_removes_its_row(table: Table) -> None:
    table.change("c", row(1, note="a"))
    table.change("c", row(2, note="b"))
    table.tombstone(1)
    table.land()
    assert table.rows() == [(2, "b")]


def test_a_changed_key_moves_its_row(table: Table) -> None:
    table.change("c", row(1, note="a"))
    table.change("d", row(1), lsn=2000)
    table.tombstone(1)
    table.change("c", row(9, note="a"), lsn=2000)
    table.land()
    assert table.rows() == [(9, "a")]


def test_an_unsent_value_is_that_of_the_change_before(table: Table) -> None:
    table.change("c", row(1, note="long text", status="open"))
    table.change("u", row(1, note=UNSENT, status="paid"))
    table.land()
    table.change("u", row(1, note=UNSENT, status="sent"))
    table.land()
    assert table.rows("order_id, note, status") == [(1, "long text", "sent")]
    table.change("u", row(1, note=None, status="sent"))
    table.change("u", row(1, note=UNSENT, status="lost"))
    table.land()
    assert table.rows("order_id, note, status") == [(1, None, "lost")]


def test_texts_are_those_of_the_table(table: Table) -> None:
    texts = ["", "  x ", "NULL", "1.50", "[1]", "a\nb", "ü", '"']
    for number, text in enumerate(texts):
        table.change("c", row(number, note=text))
    table.land()
    assert table.rows() == list(enumerate(texts))


def test_changes_that_are_sent_again_change_nothing(table: Table) -> None:
    table.change("c", row(1, note="a"))
    table.change("u", row(1, note="b"))
    table.change("d", row(2))
    table.again(first=0)
    table.land()
    assert table.rows() == [(1, "b")]


def test_a_truncate_removes_what_was_before_it(table: Table) -> None:
    table.change("c", row(1, note="a"))
    table.change("c", row(2, note="b"))
    table.change("t")
    table.change("c", row(2, note="c"))
    table.land()
    assert table.rows() == [(2, "c")]
    table.change("t")
    table.land()
    assert table.rows() == []


def test_a_new_snapshot_removes_rows_that_it_does_not_have(table: Table) -> None:
    for number in (1, 2, 3):
        table.change("r", row(number, note="old"), lsn=500, snapshot="true")
    table.change("c", row(4, note="old"))
    table.land()
    # The slot was lost: 1 and 4 were deleted meanwhile. Restored, the database counts from below.
    table.change("r", row(2, note="new"), lsn=90, snapshot="first")
    table.change("r", row(3, note="new"), lsn=90, snapshot="last")
    table.change("u", row(3, note="newer"), lsn=98)
    table.land()
    assert table.rows() == [(2, "new"), (3, "newer")]


def test_a_snapshot_that_was_begun_twice_counts_once(table: Table) -> None:
    table.change("r", row(1, note="a"), lsn=500, snapshot="first")
    table.change("r", row(2, note="b"), lsn=500, snapshot="true")
    table.land()
    table.change("r", row(2, note="b"), lsn=508, snapshot="first")
    table.change("r", row(3, note="c"), lsn=508, snapshot="last")
    table.land()
    assert table.rows() == [(2, "b"), (3, "c")]


def test_a_row_that_is_gone_needs_no_valid_values(table: Table) -> None:
    table.change("c", row(1, amount=1.0))
    table.change("d", row(1, amount=-5.0))
    table.land()
    assert table.rows() == []


def test_one_order_for_two_parts_of_a_key(table: Table) -> None:
    table.change("c", row(1, note="eu"))
    table.change("c", {"id": 1, "region": "us", "note": "us"})
    table.change("d", row(1))
    table.land()
    assert table.rows("order_id, region, note") == [(1, "us", "us")]
