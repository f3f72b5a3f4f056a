"""A deployment that ends between two writes is completed, and no reader sees a mixture."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from social_assets.contracts.contract import Contract
from social_assets.lake.delta import LakeTable
from social_assets.pipeline.contracts import deploy_contract as deployment
from social_assets.pipeline.contracts import switch
from social_assets.pipeline.contracts.deploy_contract import deploy_contract
from social_assets.pipeline.contracts.redivided_raw import RedividedRaw
from social_assets.pipeline.contracts.staged_rows import StagedRows
from social_assets.pipeline.stores import StreamStores
from social_assets.warehouse.loader import Loader
from tests.integration.pipeline.accounts import counts
from tests.integration.pipeline.contracts.evolving_stream import (
    START,
    OwnStream,
    contract,
    in_lake,
    in_warehouse,
)

NUMBER, TEXT = contract({"n": (int, {})}), contract({"n": (str, {})})
OLD = [("a", 5), ("b", 7), ("c", 9)]
NEW = [("a", "5"), ("b", "7"), ("c", "9"), ("d", "11")]


class Stopped(BaseException):
    """Ends a deployment as SIGTERM does: no step may catch it."""


@dataclass(frozen=True)
class Moment:
    """The call of a function, counted from 1, that is stopped after its work or instead of it."""

    owner: object
    step: str
    call: int = 1
    is_done: bool = True


MOMENTS = [
    Moment(StagedRows, "_make", is_done=False),
    Moment(StagedRows, "_make"),
    Moment(deployment, "_switch", is_done=False),
    Moment(LakeTable, "commit_all", 1),
    Moment(LakeTable, "commit_all", 2, is_done=False),
    Moment(LakeTable, "commit_all", 2),
    Moment(switch, "recount_cleaned", is_done=False),
    Moment(switch, "recount_cleaned"),
    Moment(Loader, "replace_all", is_done=False),
    Moment(Loader, "replace_all"),
    Moment(LakeTable, "record_applied", is_done=False),
    Moment(LakeTable, "remove", is_done=False),
    Moment(LakeTable, "remove"),
]


@pytest.fixture
def own(stream: Callable[[str], StreamStores], tmp_path: Path) -> OwnStream:
    found = OwnStream(stream("posts").stores, tmp_path)
    found.load(NUMBER, *({"id": each, "n": n} for each, n in OLD), days=3)
    return found


FAST = (1, 5, 9)
"""The moments that every run of the tests tries; the others are for the endurance tests."""


@pytest.mark.parametrize(
    "moment",
    [
        each if number in FAST else pytest.param(each, marks=pytest.mark.endurance)
        for number, each in enumerate(MOMENTS)
    ],
    ids=lambda m: f"{m.step} {m.call} {'done' if m.is_done else 'not done'}",
)
def test_a_load_after_a_stopped_deployment_and_the_next_one_complete_it(
    own: OwnStream, monkeypatch: pytest.MonkeyPatch, moment: Moment
) -> None:
    with monkeypatch.context() as patched:
        stop_at(patched, moment)
        with pytest.raises(Stopped):
            deploy_contract(own.under(TEXT))
    lake, warehouse = in_lake(own.under(TEXT), "id", "n"), in_warehouse(own.under(TEXT), "id", "n")
    assert lake in (OLD, NEW[:3])
    assert warehouse in (OLD, NEW[:3])
    own.load(TEXT, {"id": "d", "n": 11})
    deploy_contract(own.under(TEXT))
    stores = own.under(TEXT)
    assert in_lake(stores, "id", "n") == in_warehouse(stores, "id", "n") == NEW
    assert counts(stores).raw == counts(stores).cleaned == len(NEW)
    assert not stores.in_force.undeployed


BY_T = contract({"u": (datetime, {"nullable": True})})
BY_U = dataclasses.replace(BY_T, event_time="u")
MOVED_TO = [date(2026, 1, 1), date(2026, 3, 1), date(2026, 3, 1)]
MOVES = [
    Moment(RedividedRaw, "make", is_done=False),
    Moment(RedividedRaw, "make"),
    Moment(StagedRows, "_make"),
    Moment(LakeTable, "commit_all", 1, is_done=False),
    Moment(LakeTable, "commit_all", 1),
    Moment(LakeTable, "commit_all", 2),
    Moment(LakeTable, "commit_all", 3, is_done=False),
    Moment(LakeTable, "commit_all", 3),
    Moment(switch, "recount_raw", is_done=False),
    Moment(switch, "recount_raw"),
    Moment(Loader, "replace_all", is_done=False),
    Moment(LakeTable, "record_applied", is_done=False),
    Moment(LakeTable, "remove"),
]
FAST_MOVES = (4, 5, 9)


@pytest.mark.parametrize("declared", [BY_U, BY_T], ids=["as before", "taken back"])
@pytest.mark.parametrize(
    "moment",
    [
        each if number in FAST_MOVES else pytest.param(each, marks=pytest.mark.endurance)
        for number, each in enumerate(MOVES)
    ],
    ids=lambda m: f"{m.step} {m.call} {'done' if m.is_done else 'not done'}",
)
def test_records_that_move_are_on_their_days_once_after_a_stop_and_a_load(
    stream: Callable[[str], StreamStores],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    moment: Moment,
    declared: Contract,
) -> None:
    """Also if the contract that was to be deployed is no longer declared then."""
    own = OwnStream(stream("posts").stores, tmp_path)
    records = [{"id": f"r{n}", "u": f"{day}T01:00:00Z"} for n, day in enumerate(MOVED_TO)]
    own.load(BY_T, *records, days=3)
    before, after = [START.date() + timedelta(days=n) for n in range(3)], MOVED_TO
    with monkeypatch.context() as patched:
        stop_at(patched, moment)
        with pytest.raises(Stopped):
            deploy_contract(own.under(BY_U))
    lake, warehouse = (
        [day for _, day in found(own.under(BY_U), "id", "event_date")]
        for found in (in_lake, in_warehouse)
    )
    assert lake in (before, after)
    assert warehouse in (before, after)
    own.load(declared, {"id": "r3", "u": "2026-03-02T01:00:00Z"})
    deploy_contract(own.under(declared))
    stores = own.under(declared)
    days = [*after, date(2026, 3, 2)] if declared is BY_U else [*before, START.date()]
    rows = [(f"r{n}", day) for n, day in enumerate(days)]
    assert in_lake(stores, "id", "event_date") == in_warehouse(stores, "id", "event_date") == rows
    assert counts(stores).raw == counts(stores).cleaned == 4
    assert sorted(stores.raw.read()["event_date"].to_pylist()) == sorted(days)
    assert not stores.in_force.undeployed
    if declared is BY_U:
        assert not list((Path(stores.stores.lake.root) / "staged").glob("*/own/*"))


def test_a_deployment_that_is_repeated_makes_only_the_days_that_are_missing(
    own: OwnStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        stop_at(patched, Moment(deployment, "_switch", is_done=False))
        with pytest.raises(Stopped):
            deploy_contract(own.under(TEXT))
    own.load(TEXT, {"id": "d", "n": 11})
    made: list[object] = []
    make = StagedRows._make

    def counted(
        staged: StagedRows, declared: object, validator: object, days: list[object], *rest: object
    ) -> None:
        made.extend(days)
        make(staged, declared, validator, days, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(StagedRows, "_make", counted)
    deploy_contract(own.under(TEXT))
    assert len(made) == 1
    assert in_lake(own.under(TEXT), "id", "n") == NEW


def stop_at(patched: pytest.MonkeyPatch, moment: Moment) -> None:
    original = getattr(moment.owner, moment.step)
    calls: list[int] = []

    def stopped(*arguments: object, **named: object) -> object:
        calls.append(1)
        if len(calls) < moment.call:
            return original(*arguments, **named)
        if moment.is_done:
            original(*arguments, **named)
        raise Stopped

    patched.setattr(moment.owner, moment.step, stopped)
