"""Runs the engine on records given as bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from social_assets.contracts.contract import Contract
from social_assets.transform.duckdb_engine import DuckDBEngine, Session
from social_assets.transform.validate_block import BlockValidator
from tests.integration.transform.raw_records import Validate, raw_table


@pytest.fixture(scope="session")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with DuckDBEngine(tmp_path_factory.mktemp("spill")).session() as session:
        yield session


@pytest.fixture(scope="session")
def validate(session: Session) -> Validate:
    """Cleaned rows with their reasons, in the order of the given records."""

    def validated(
        contract: Contract,
        values: Sequence[bytes],
        csv_header: str | None = None,
        source: str = "file",
    ) -> list[dict[str, Any]]:
        raw = raw_table(values, csv_header, source)
        answer = BlockValidator(session, contract).of(raw)
        rows: list[dict[str, Any]] = answer.append_column("offset", raw["offset"]).to_pylist()
        for row in rows:
            row["reasons"] = row["reasons"].split(";") if row["reasons"] else []
        return rows

    return validated
