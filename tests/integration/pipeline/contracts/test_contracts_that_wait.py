"""What a deployment can't take from a record or from raw: functions, and rows without records."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pandera.ibis as pa
import pytest

from social_assets.contracts.contract import Contract
from social_assets.pipeline.contracts.contract_in_force import ContractNotDeployedError
from social_assets.pipeline.contracts.deploy_contract import (
    ContractNotDeployableError,
    deploy_contract,
)
from social_assets.pipeline.contracts.staged_rows import RowsNotConvertibleError
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import rebuild
from tests.integration.pipeline.accounts import counts
from tests.integration.pipeline.contracts.evolving_stream import (
    OwnStream,
    contract,
    in_lake,
    in_warehouse,
)

INTEGER = contract({"n": (int, {})})
TEXT = contract({"n": (str, {})})


@pytest.fixture
def own(stream: Callable[[str], StreamStores], tmp_path: Path) -> OwnStream:
    return OwnStream(stream("posts").stores, tmp_path)


class Above5(pa.DataFrameModel):
    """A rule that is a function."""

    id: str
    t: datetime
    n: int

    @pa.check("n")
    def is_large(cls, data: Any) -> Any:  # noqa: N805 - a class method to pandera
        return data.table[data.key] > 5


class Above8(pa.DataFrameModel):
    """The function has changed."""

    id: str
    t: datetime
    n: int

    @pa.check("n")
    def is_large(cls, data: Any) -> Any:  # noqa: N805 - a class method to pandera
        return data.table[data.key] > 8


def of(model: type[pa.DataFrameModel]) -> Contract:
    return Contract("own", model, ("id",), ("ndjson",), "team:test", event_time="t")


def test_records_land_and_wait_while_a_deployed_rule_is_lost(own: OwnStream) -> None:
    own.load(of(Above5), {"id": "a", "n": 5}, {"id": "b", "n": 7}, {"id": "c", "n": 9})
    assert in_lake(own.under(of(Above5)), "id") == [("b",), ("c",)]
    after = of(Above8)
    stores = own.load(after, {"id": "d", "n": 10}, {"id": "e", "n": 6})
    assert sum(stores.raw.rows_by_day().values()) == 5
    assert in_lake(stores, "id") == in_warehouse(stores, "id") == [("b",), ("c",)]
    assert "is_large of column n is a function" in stores.in_force.undeployed
    with pytest.raises(ContractNotDeployedError, match="run `social-assets deploy`"):
        rebuild(stores, sorted(stores.raw.rows_by_day()))
    deploy_contract(own.under(after))
    stores = own.load(after, {"id": "f", "n": 11})
    rows = [("c",), ("d",), ("f",)]
    assert in_lake(stores, "id") == in_warehouse(stores, "id") == rows
    assert counts(stores).raw == 6


def test_a_rule_that_is_an_unchanged_function_goes_on_in_loads(own: OwnStream) -> None:
    class WithC(Above5):
        c: str = pa.Field(nullable=True)

    own.load(of(Above5), {"id": "b", "n": 7})
    stores = own.load(of(WithC), {"id": "a", "n": 5}, {"id": "c", "n": 9})
    assert in_lake(stores, "id") == [("b",), ("c",)]
    assert not stores.in_force.incomplete


def test_rows_whose_raw_records_are_gone_take_the_new_columns(own: OwnStream) -> None:
    stores = own.load(INTEGER, {"id": "a", "n": 5}, {"id": "b", "n": 7}, days=2)
    first = min(stores.raw.rows_by_day())
    stores.raw.replace([first], stores.raw.schema.empty_table().to_reader())
    deploy_contract(own.under(TEXT))
    stores = own.under(TEXT)
    rows = [("a", "5"), ("b", "7")]
    assert in_lake(stores, "id", "n") == in_warehouse(stores, "id", "n") == rows


def test_nothing_changes_if_such_rows_cannot_take_them(own: OwnStream) -> None:
    stores = own.load(TEXT, {"id": "a", "n": "five"}, {"id": "b", "n": "7"}, days=2)
    first = min(stores.raw.rows_by_day())
    stores.raw.replace([first], stores.raw.schema.empty_table().to_reader())
    with pytest.raises(RowsNotConvertibleError, match="the new column n"):
        deploy_contract(own.under(INTEGER))
    stores = own.load(INTEGER, {"id": "c", "n": 9})
    assert in_lake(stores, "id", "n") == [("a", "five"), ("b", "7"), ("c", "9")]


def test_a_change_of_the_event_time_is_refused_while_there_are_records(own: OwnStream) -> None:
    columns = {"n": (int, {}), "u": (datetime, {"nullable": True})}
    before = contract(columns)
    by_u = Contract("own", before.model, ("id",), ("ndjson",), "team:test", event_time="u")
    own.load(before, {"id": "a", "n": 5, "u": "2026-02-02T00:00:00Z"})
    with pytest.raises(ContractNotDeployableError, match="records would belong to other days"):
        deploy_contract(own.under(by_u))
