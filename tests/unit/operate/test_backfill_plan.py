"""The plan of a backfill from constructed counts, and the runs that follow it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from dagster import AssetCheckEvaluation, AssetKey

from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.cli.main import cli, main
from social_assets.operate.runs import backfill_plan
from social_assets.operate.runs import start as runs
from social_assets.operate.runs.backfill_plan import BackfillPlan, Rows, Swap, swaps

FIRST, SECOND, THIRD = (date(2026, 3, day) for day in (1, 2, 3))
TOMORROW = datetime.now(UTC).date() + timedelta(days=1)
RAW, CLEANED, FACT, VIEW = (AssetKey(name) for name in ("raw", "cleaned", "fact", "view"))
UPSTREAM = {RAW: [], CLEANED: [RAW], FACT: [CLEANED], VIEW: [FACT]}


def planned(
    held: dict[AssetKey, Rows | None],
    expired: dict[AssetKey, set[date]] | None = None,
    days: Sequence[date] = (FIRST, SECOND),
) -> dict[AssetKey, Swap]:
    lost = {key: set[date]() for key in UPSTREAM} | (expired or {})
    return {s.asset: s for s in swaps(list(UPSTREAM), UPSTREAM, held, lost, set(days))}


HELD: dict[AssetKey, Rows | None] = {
    RAW: {FIRST: 7, THIRD: 5},
    CLEANED: {FIRST: 6, SECOND: 4, THIRD: 5},
    FACT: {FIRST: 6, SECOND: 4, THIRD: 5},
    VIEW: None,
}


def test_rows_are_told_of_the_days_asked_for_now_and_in_the_sources() -> None:
    found = planned(HELD)
    assert (found[CLEANED].rows, found[CLEANED].source_rows, found[CLEANED].days) == (10, 7, 2)
    assert (found[RAW].rows, found[RAW].source_rows) == (7, 0)
    assert (found[VIEW].rows, found[VIEW].source_rows) == (None, 10)


def test_a_day_that_lost_its_source_is_emptied_and_so_is_all_behind_it() -> None:
    found = planned(HELD)
    assert {key: swap.emptied for key, swap in found.items() if swap.emptied} == {
        CLEANED: (SECOND,),
        FACT: (SECOND,),
    }


def test_a_day_that_lost_its_source_to_retention_is_refused_and_not_emptied() -> None:
    found = planned(HELD, {CLEANED: {SECOND, THIRD}})
    assert (found[CLEANED].refused, found[CLEANED].emptied) == ((SECOND,), ())


def test_partitions_are_days_of_all_runs_times_assets() -> None:
    plan = BackfillPlan(((FIRST, SECOND), (date(2026, 4, 1),) * 2), tuple(planned(HELD).values()))
    assert plan.partitions == 3 * 4


@pytest.fixture
def done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """The runs that the command requests for a plan of two runs."""
    asked: list[tuple[Any, ...]] = []

    def plan(home: object, first: date, last: date, assets: Sequence[str]) -> BackfillPlan:
        asked.append(("plan", first, last, tuple(assets)))
        swaps = tuple(planned(HELD, {FACT: {FIRST}}).values())
        return BackfillPlan(((FIRST, SECOND), (THIRD, THIRD)), swaps)

    def rebuild(home: object, first: date, last: date, assets: Sequence[str], progress: object):
        asked.append(("run", first, last, tuple(assets)))
        return runs.RunReport("r", 2, ())

    (tmp_path / "lake").mkdir()
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path))
    monkeypatch.setattr(backfill_plan, "plan_backfill", plan)
    monkeypatch.setattr(runs, "rebuild_days", rebuild)
    return asked


ARGUMENTS = ["backfill", "--from", str(FIRST), "--to", str(THIRD), "star/fact", "rollups/daily"]
NAMED = ("star/fact", "rollups/daily")


def test_a_dry_run_shows_the_plan_and_runs_nothing(done: list[tuple[Any, ...]]) -> None:
    shown = CliRunner().invoke(cli, [*ARGUMENTS, "--dry-run"])
    assert done == [("plan", FIRST, THIRD, NAMED)]
    assert f"2 runs ({FIRST} to {SECOND}, {THIRD} to {THIRD}), 12 partitions" in shown.output
    listed = CliRunner().invoke(cli, [*ARGUMENTS, "--dry-run", "--format", "json"])
    rows = {row["asset"]: row for row in json.loads(listed.output)}
    assert rows["fact"] == {
        "asset": "fact",
        "days": 2,
        "rows_now": 10,
        "rows_in_sources": 10,
        "emptied": str(SECOND),
        "refused": str(FIRST),
    }


def test_each_unbroken_range_is_one_run_of_the_assets_named(done: list[tuple[Any, ...]]) -> None:
    assert CliRunner().invoke(cli, ARGUMENTS).exit_code == 0
    assert done[1:] == [("run", FIRST, SECOND, NAMED), ("run", THIRD, THIRD, NAMED)]


def test_a_run_has_the_days_of_its_range_and_the_assets_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []
    named = {AssetKey.from_user_string(name) for name in NAMED}
    monkeypatch.setattr(runs, "made_together", lambda assets: named)
    monkeypatch.setattr(runs, "_run", recorder(asked))
    runs.rebuild_days(Home(tmp_path), FIRST, THIRD, NAMED, print)
    (run,) = asked
    assert (run["location"], run["job"]) == ("batch", "rebuild_days")
    assert run["selected"] == sorted(named)
    assert run["tags"] == {
        "dagster/asset_partition_range_start": str(FIRST),
        "dagster/asset_partition_range_end": str(THIRD),
    }


def recorder(asked: list[dict[str, Any]]) -> Callable[..., runs.RunReport]:
    """Records the requested runs instead of starting them."""

    def run(_: Home, location: str, job: str, __: object, **rest: Any) -> runs.RunReport:
        asked.append({"location": location, "job": job, **rest})
        return runs.RunReport(job, 2, ())

    return run


def test_a_range_that_ends_before_it_begins_is_a_wrong_command(
    done: list[tuple[Any, ...]],
) -> None:
    arguments = ["backfill", "--from", str(THIRD), "--to", str(FIRST)]
    assert CliRunner().invoke(cli, arguments).exit_code == 2
    assert done == []


def test_a_backfill_whose_checks_failed_exits_1_and_names_them(
    done: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = AssetCheckEvaluation(
        asset_key=AssetKey(["cleaned", "posts"]), check_name="no_loss", passed=False, metadata={}
    )
    monkeypatch.setattr(runs, "rebuild_days", lambda *_: runs.RunReport("r", 2, (failed,)))
    with pytest.raises(SystemExit) as ended:
        main(ARGUMENTS)
    assert ended.value.code == 1
    assert "1 check failed: cleaned/posts no_loss" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("first", "last", "told"),
    [
        (date(2026, 2, 28), SECOND, f"days are {FIRST} to"),
        (FIRST, date(2999, 1, 1), "for --to 2999-01-01: days are"),
        (date(2026, 3, 4), date(2026, 3, 5), f"there are rows of {FIRST} to {SECOND}"),
    ],
)
def test_a_backfill_of_days_that_do_not_exist_is_refused(
    first: date, last: date, told: str
) -> None:
    with pytest.raises(backfill_plan.NoSuchDaysError, match=told):
        backfill_plan.refuse_days_beyond(first, last, {FIRST, SECOND}, since=FIRST)


@pytest.mark.parametrize("first", [None, FIRST, TOMORROW])
def test_a_backfill_of_tomorrow_is_refused(first: date | None) -> None:
    with pytest.raises(backfill_plan.NoSuchDaysError, match=f"{TOMORROW}: days are {FIRST} to"):
        backfill_plan.refuse_days_beyond(first, TOMORROW, {FIRST, SECOND}, since=FIRST)


def test_records_of_clocks_that_are_fast_make_tomorrow_a_day_to_backfill() -> None:
    backfill_plan.refuse_days_beyond(TOMORROW, TOMORROW, {FIRST, TOMORROW}, since=FIRST)
