"""An invalid contract is refused where it is defined, with the reason."""

from __future__ import annotations

from datetime import datetime

import pandera.ibis as pa
import pytest

from social_assets.contracts.contract import Contract
from social_assets.contracts.refusals.refuse_names import RESERVED
from social_assets.lake.schemas import PROVENANCE, QUARANTINE
from social_assets.pipeline.validation.rows import INPUT_COLUMNS
from social_assets.warehouse.ddl import create_table


def contract_with(**columns: type) -> Contract:
    model = type("Model", (pa.DataFrameModel,), {"__annotations__": {"id": int, **columns}})
    return Contract(name="stream", model=model, key=("id",), formats=("ndjson",), owner="team:x")


@pytest.mark.parametrize("name", ["source", "offset", "event_date", "batch_id", "reasons"])
def test_a_column_cannot_have_a_name_that_the_platform_uses(name: str) -> None:
    with pytest.raises(ValueError, match=f"use of its own for {name}"):
        contract_with(**{name: str})


def test_every_provenance_column_is_reserved() -> None:
    shared = {*PROVENANCE.names, *QUARANTINE.names, *INPUT_COLUMNS} - {"value"}
    assert shared <= RESERVED


def test_a_column_event_time_must_be_the_event_time() -> None:
    with pytest.raises(ValueError, match="event_time"):
        contract_with(event_time=datetime)


def test_two_columns_cannot_be_one_to_a_source() -> None:
    with pytest.raises(ValueError, match="user_id and userid are one name"):
        contract_with(user_id=int, userid=int)


def test_names_such_as_value_key_and_text_are_free() -> None:
    assert set(contract_with(value=float, text=str, key=str).columns) >= {"value", "text", "key"}


def test_the_table_of_a_contract_is_partitioned_by_day_and_ordered_by_its_key() -> None:
    ddl = create_table(contract_with(value=float))
    assert "PARTITION BY event_date\nORDER BY (id)" in ddl
    assert "value Float64" in ddl
