"""The engine on records given as bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest

from social_assets.contracts.contract import Contract
from social_assets.engine.clean_records import INPUT, verdicts
from social_assets.engine.duckdb_engine import DuckDBEngine, Session, plain
from social_assets.lake.schemas import RAW

ARRIVAL = datetime(2026, 1, 2, 9, 30, tzinfo=UTC)
LANDING_DATE = datetime(2026, 1, 1, tzinfo=UTC)

Judge = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="session")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with DuckDBEngine(tmp_path_factory.mktemp("spill")).session() as session:
        yield session


@pytest.fixture(scope="session")
def judge(session: Session) -> Judge:
    """Records as cleaned rows with their reasons, in the order given."""

    def judged(
        contract: Contract,
        values: Sequence[bytes],
        csv_header: str | None = None,
        source: str = "file",
    ) -> list[dict[str, Any]]:
        raw = raw_table(values, csv_header, source)
        session.backend.con.register("raw_of_test", raw)
        with verdicts(session, session.backend.table("raw_of_test"), contract) as stored:
            rows = session.table(stored.order_by("offset")).to_pylist()
        for row in rows:
            row["reasons"] = row["reasons"].split(";") if row["reasons"] else []
        return rows

    return judged


def raw_table(values: Sequence[bytes], csv_header: str | None, source: str) -> pa.Table:
    count = len(values)
    columns = {
        "value": pa.array(values, pa.binary()),
        "csv_header": pa.array([csv_header] * count, pa.string()),
        "source": [source] * count,
        "origin": ["origin"] * count,
        "partition": pa.array([0] * count, pa.int32()),
        "offset": range(1, count + 1),
        "timestamp": [LANDING_DATE if source == "file" else ARRIVAL] * count,
        "ingested_at": [ARRIVAL] * count,
        "batch_id": ["batch"] * count,
        "event_date": [date(2026, 1, 1)] * count,
    }
    typed = pa.table({name: columns[name] for name in INPUT})
    return typed.cast(plain(pa.schema([RAW.field(name) for name in INPUT])))
