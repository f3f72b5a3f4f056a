"""A changed contract takes effect by a deployment; until then loads go on under the one before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from social_assets.contracts.contract import Contract
from social_assets.pipeline.contracts.deploy_contract import deploy_contract, plan_contract
from social_assets.pipeline.stores import StreamStores
from tests.integration.pipeline.accounts import counts
from tests.integration.pipeline.contracts.evolving_stream import (
    OwnStream,
    contract,
    in_lake,
    in_warehouse,
)


@pytest.fixture
def own(stream: Callable[[str], StreamStores], tmp_path: Path) -> OwnStream:
    return OwnStream(stream("posts").stores, tmp_path)


BEFORE = contract({"n": (int, {})})
WITH_C = contract({"c": (str, {"nullable": True}), "n": (int, {})})


def test_loads_go_on_under_the_contract_before_until_the_new_one_is_deployed(
    own: OwnStream,
) -> None:
    own.load(BEFORE, {"id": "a", "n": 5})
    stores = own.load(WITH_C, {"id": "b", "n": 7, "c": "x"})
    assert in_lake(stores, "id", "n") == in_warehouse(stores, "id", "n") == [("a", 5), ("b", 7)]
    assert [str(change) for change in stores.in_force.changes] == [
        "column added: c (string, nullable)"
    ]


def test_rows_from_before_have_null_in_an_added_column(own: OwnStream) -> None:
    own.load(BEFORE, {"id": "a", "n": 5})
    plan = deploy_contract(own.under(WITH_C))
    assert not plan.is_rebuilt
    stores = own.load(WITH_C, {"id": "b", "n": 7, "c": "x"})
    rows = [("a", None, 5), ("b", "x", 7)]
    assert in_lake(stores, "id", "c", "n") == in_warehouse(stores, "id", "c", "n") == rows
    assert plan_contract(stores).changes == ()


def test_a_table_from_before_the_record_of_contracts_gains_a_column(own: OwnStream) -> None:
    stores = own.load(BEFORE, {"id": "a", "n": 5})
    forget_contracts(stores)
    own.load(WITH_C, {"id": "b", "n": 7, "c": "x"})
    deploy_contract(own.under(WITH_C))
    stores = own.load(WITH_C, {"id": "c", "n": 9, "c": "y"})
    rows = [("a", None, 5), ("b", None, 7), ("c", "y", 9)]
    assert in_lake(stores, "id", "c", "n") == in_warehouse(stores, "id", "c", "n") == rows


NUMBER = contract({"n": (float, {})})
TEXT = contract({"n": (str, {})})
POSITIVE = contract({"n": (int, {"gt": 5})})
NULLABLE = contract({"n": (int, {"nullable": True})})
RENAMED = contract({"m": (int, {"metadata": {"renamed_from": "n"}})})
WITHOUT_N = contract({})
BY_NUMBER = contract({"n": (int, {})}, key=("n",))
WITH_DEFAULT = contract({"n": (int, {}), "d": (str, {"default": "none"})})
OLD_ROWS = ({"id": "a", "n": 5}, {"id": "b", "n": 7}, {"id": "c", "n": 5}, {"id": "e"})


@pytest.mark.parametrize(
    ("after", "columns", "rows"),
    [
        (NUMBER, ("id", "n"), [("a", 5.0), ("b", 7.0), ("c", 5.0), ("e", 0.0)]),
        (TEXT, ("id", "n"), [("a", "5"), ("b", "7"), ("c", "5"), ("e", "Unknown")]),
        (POSITIVE, ("id", "n"), [("b", 7)]),
        (NULLABLE, ("id", "n"), [("a", 5), ("b", 7), ("c", 5), ("e", None)]),
        (RENAMED, ("id", "m"), [("a", 5), ("b", 7), ("c", 5), ("e", 0)]),
        (WITHOUT_N, ("id",), [("a",), ("b",), ("c",), ("e",)]),
        (BY_NUMBER, ("id", "n"), [("a", 5), ("b", 7)]),
        (
            WITH_DEFAULT,
            ("id", "d"),
            [("a", "none"), ("b", "none"), ("c", "none"), ("e", "none")],
        ),
    ],
    ids=["widened", "text", "rule", "nullable", "renamed", "removed", "key", "default"],
)
def test_a_deployment_makes_the_rows_from_before_anew(
    own: OwnStream, after: Contract, columns: tuple[str, ...], rows: list[tuple[object, ...]]
) -> None:
    own.load(BEFORE, *OLD_ROWS)
    own.load(after, {"id": "b", "n": 8})  # a duplicate under the contract before
    before = in_lake(own.under(BEFORE), "id", "n")
    assert before == [("a", 5), ("b", 7), ("c", 5), ("e", 0)]
    plan = deploy_contract(own.under(after))
    assert plan.is_rebuilt
    assert plan.rows == 5
    stores = own.under(after)
    if after is BY_NUMBER:
        rows = [("a", 5), ("b", 7), ("b", 8)]
    assert in_lake(stores, *columns) == in_warehouse(stores, *columns) == rows
    assert not stores.in_force.changes
    own.load(after, {"id": "z", "n": 99})
    assert len(in_lake(stores, "id")) == len(in_warehouse(stores, "id")) == len(rows) + 1
    found = counts(stores)
    assert found.raw == found.cleaned + found.duplicates + found.rejected == 6


def test_ids_that_become_text_have_every_character_of_their_raw_records(own: OwnStream) -> None:
    """Also those of records that were rejected because the id was no number."""
    ids = ("007", 18446744073709551615, "570306000000000001", "UC_x5XG1OV2P6uZZ5FSM9Ttw")
    own.load(BEFORE, *({"id": f"r{number}", "n": each} for number, each in enumerate(ids)))
    assert in_lake(own.under(BEFORE), "n") == [(570306000000000001,), (7,)]
    deploy_contract(own.under(TEXT))
    stores = own.under(TEXT)
    rows = [(f"r{number}", str(each)) for number, each in enumerate(ids)]
    assert in_lake(stores, "id", "n") == in_warehouse(stores, "id", "n") == rows
    assert counts(stores).rejected == 0
    deploy_contract(stores)
    assert in_lake(stores, "id", "n") == in_warehouse(stores, "id", "n") == rows


def forget_contracts(stores: StreamStores) -> None:
    """Leave the cleaned table as a release without a record of contracts has made it."""
    for log in (Path(stores.cleaned.uri) / "_delta_log").glob("*.json"):
        kept = [line for line in log.read_text().splitlines() if '"appId":"contract"' not in line]
        log.write_text("\n".join(kept) + "\n")
