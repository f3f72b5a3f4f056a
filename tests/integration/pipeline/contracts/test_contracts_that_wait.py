"""What a deployment can't take from a record or from raw: functions, and rows without records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandera.ibis as pa
import pytest

from social_assets.contracts.contract import Contract
from social_assets.pipeline.contracts.contract_in_force import ContractNotDeployedError
from social_assets.pipeline.contracts.deploy_contract import deploy_contract
from social_assets.pipeline.contracts.refused_deployment import ContractNotDeployableError
from social_assets.pipeline.contracts.staged_rows import RowsNotConvertibleError, StagedRows
from social_assets.pipeline.files.unload_requests import request_unload
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import rebuild
from tests.integration.pipeline.accounts import Counts, contents, counts
from tests.integration.pipeline.contracts.evolving_stream import (
    START,
    Columns,
    OwnStream,
    contract,
    in_lake,
    in_warehouse,
    model,
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
    told = (
        "own: .*the lake's contracts/own: the deployed rule is_large of column n is a function.*"
        f"{__name__} declares another.*run `social-assets deploy`"
    )
    with pytest.raises(ContractNotDeployedError, match=told):
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


U: Columns = {"n": (int, {}), "u": (datetime, {"nullable": True})}
BY_T = contract(U)
BY_U = replace(BY_T, event_time="u")


def test_records_move_to_the_days_of_a_changed_event_time(own: OwnStream) -> None:
    own.load(BY_T, {"id": "a", "n": 5, "u": "2026-01-01T23:00:00Z"})
    own.load(BY_T, {"id": "b", "n": 7, "u": "2026-02-02T00:00:00Z"}, {"id": "a", "n": 1})
    own.load(BY_T, {"id": "b", "n": 8, "u": "2026-02-02T01:00:00Z"}, {"id": "c", "n": "x"})
    stores = own.under(BY_T)
    assert counts(stores) == Counts(raw=5, cleaned=2, duplicates=2, rejected=1, warehouse=2)
    values = sorted(stores.raw.read()["value"].to_pylist())
    plan = deploy_contract(own.under(BY_U))
    assert plan.moves
    stores = own.under(BY_U)
    # The second `a` has no `u`: it is rejected, and no duplicate any more.
    assert counts(stores) == Counts(raw=5, cleaned=2, duplicates=1, rejected=2, warehouse=2)
    rows = [("a", 5, date(2026, 1, 1)), ("b", 7, date(2026, 2, 2))]
    assert in_lake(stores, "id", "n", "event_date") == rows
    assert in_warehouse(stores, "id", "n", "event_date") == rows
    assert sorted(stores.raw.read()["value"].to_pylist()) == values
    assert stores.ledger.days("raw") == stores.ledger.days("cleaned")
    before = contents(stores)
    rebuild(stores, sorted(stores.raw.rows_by_day()))
    assert contents(stores) == before
    stores = own.load(BY_U, {"id": "d", "n": 9, "u": "2026-02-02T05:00:00Z"})
    assert stores.raw.rows_by_day()[date(2026, 2, 2)] == 3
    assert counts(stores).cleaned == 3


def test_days_that_all_records_leave_are_empty(own: OwnStream) -> None:
    records = [{"id": f"r{n}", "n": n, "u": "2026-02-02T00:00:00Z"} for n in range(6)]
    own.load(BY_T, *records, days=3)
    deploy_contract(own.under(BY_U))
    stores = own.under(BY_U)
    for table in (stores.raw, stores.cleaned):
        assert table.rows_by_day() == {date(2026, 2, 2): 6}
    assert stores.loader.rows_by_day() == {date(2026, 2, 2): 6}
    deploy_contract(own.under(BY_T))
    stores = own.under(BY_T)
    assert sorted(stores.cleaned.rows_by_day().values()) == [2, 2, 2]
    assert counts(stores).cleaned == 6


def test_a_deployment_that_moves_records_waits_for_unloads(own: OwnStream) -> None:
    stores = own.load(BY_T, {"id": "a", "n": 5, "u": "2026-02-02T23:00:00Z"})
    with stores.lock():
        request_unload(stores, list(stores.ledger.days("raw")))
    with pytest.raises(ContractNotDeployableError, match=r"file1\.ndjson are being unloaded"):
        deploy_contract(own.under(BY_U))
    assert in_lake(own.under(BY_U), "id") == [("a",)]


def test_a_changed_event_time_is_deployed_if_each_record_keeps_its_day(own: OwnStream) -> None:
    own.load(BY_T, {"id": "a", "n": 5, "u": "2026-01-01T23:00:00Z"})
    deploy_contract(own.under(BY_U))
    stores = own.under(BY_U)
    rows = [("a", datetime(2026, 1, 1, 23, tzinfo=UTC))]
    assert in_lake(stores, "id", "event_time") == rows
    assert in_warehouse(stores, "id", "toHour(event_time)") == [("a", 23)]
    stores = own.load(BY_U, {"id": "b", "n": 7, "u": "2026-02-02T00:00:00Z"})
    assert sorted(stores.cleaned.rows_by_day()) == [date(2026, 1, 1), date(2026, 2, 2)]


def test_a_record_that_lands_meanwhile_moves_too(
    own: OwnStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.load(BY_T, {"id": "a", "n": 5, "u": "2026-01-03T23:00:00Z"})
    make = StagedRows.make

    def and_load(staged: StagedRows, days: Any) -> None:
        make(staged, days)
        monkeypatch.setattr(StagedRows, "make", make)
        own.load(BY_U, {"id": "b", "n": 7, "u": "2026-02-02T00:00:00Z"})

    monkeypatch.setattr(StagedRows, "make", and_load)
    deploy_contract(own.under(BY_U))
    stores = own.under(BY_U)
    rows = [("a", date(2026, 1, 3)), ("b", date(2026, 2, 2))]
    assert in_lake(stores, "id", "event_date") == in_warehouse(stores, "id", "event_date") == rows
    assert counts(stores).raw == 2


def test_the_column_of_the_event_time_is_renamed(own: OwnStream) -> None:
    columns: Columns = {"id": (str, {}), "n": (int, {})}
    renamed = {**columns, "happened": (datetime, {"metadata": {"renamed_from": "t"}})}
    after = replace(contract({}), model=model(renamed), event_time="happened")
    own.load(INTEGER, {"id": "a", "n": 5})
    deploy_contract(own.under(after))
    stores = own.under(after)
    rows = [("a", START)]
    assert in_lake(stores, "id", "happened") == in_lake(stores, "id", "event_time") == rows


def test_rows_whose_raw_records_are_gone_keep_the_event_time(own: OwnStream) -> None:
    stores = own.load(BY_T, {"id": "a", "n": 5, "u": "2026-01-01T23:00:00Z"})
    stores.raw.replace(stores.raw.rows_by_day(), stores.raw.schema.empty_table().to_reader())
    with pytest.raises(ContractNotDeployableError, match="raw records of 1 days are gone"):
        deploy_contract(own.under(BY_U))
    assert in_lake(own.under(BY_U), "id") == [("a",)]
