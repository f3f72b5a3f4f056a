"""The engine on records given as bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from social_assets.contracts.contract import Contract
from social_assets.transform.clean_records import verdicts
from social_assets.transform.duckdb_engine import DuckDBEngine, Session
from tests.unit.transform.judging import Judge, raw_table


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
        with verdicts(session, session.rows(raw), contract) as stored:
            rows = session.table(stored.order_by("offset")).to_pylist()
        for row in rows:
            row["reasons"] = row["reasons"].split(";") if row["reasons"] else []
        return rows

    return judged
