"""The serving table: its checks, and the swap."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest
from recommender_runs import Recommend, Warehouse, champion_version, definitions, verdicts

from social_assets.defs import recsys_top_n
from social_assets.defs.recsys import checks

WRONG_ROWS = {
    "('0', 1, 'p1', 0, 'als', {version:String}, now64(6))": "one_row_a_user_and_rank",
    "('0', 21, 'p1', 0, 'als', {version:String}, now64(6))": "one_row_a_user_and_rank",
    "('x', 2, 'p1', 0, 'als', {version:String}, now64(6))": "one_row_a_user_and_rank",
    "('x', 1, 'nowhere', 0, 'als', {version:String}, now64(6))": "items_are_known",
    "('x', 1, 'p1', 0, 'als', concat('not ', {version:String}), now64(6))": "is_of_the_champion",
}


def test_a_wrong_row_in_the_serving_table_makes_its_check_fail(
    warehouse: Warehouse, recommend: Recommend, artifacts: Path
) -> None:
    warehouse.engage(days=6)
    recommend()
    version = {"version": champion_version(artifacts)}
    job = dg.define_asset_job("verify", dg.AssetSelection.checks(*on_top_n()))
    for row, check in WRONG_ROWS.items():
        warehouse.client.command(f"INSERT INTO recsys.top_n VALUES {row}", parameters=version)
        result = definitions(job).resolve_job_def("verify").execute_in_process()
        assert [name for name, passed in verdicts(result).items() if not passed] == [check]
        assert recommend("top_n").success


def on_top_n() -> list[dg.AssetChecksDefinition]:
    return [c for c in checks if {k.asset_key.path[-1] for k in c.check_keys} == {"top_n"}]


def test_a_run_that_dies_while_filling_leaves_what_is_served(
    warehouse: Warehouse, recommend: Recommend, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.engage(days=6)
    recommend()
    served = warehouse.served()

    def die(*_: object) -> None:
        raise ConnectionError("the network is gone")

    monkeypatch.setattr(recsys_top_n, "_labelled", die)
    result = recommend("top_n")
    tables = warehouse.client.query("SHOW TABLES FROM recsys").result_rows

    assert not result.success
    assert warehouse.served() == served
    assert [tuple(row) for row in tables] == [("top_n",)]
