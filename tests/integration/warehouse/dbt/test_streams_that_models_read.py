"""Which streams the dbt project reads is told without dbt, and as its manifest says."""

from __future__ import annotations

from social_assets.contracts.registry import contracts
from social_assets.warehouse.dbt.project import is_read
from social_assets.warehouse.dbt.tables import Warehouse


def test_the_streams_that_models_read_are_those_of_the_manifest(project: Warehouse) -> None:
    behind = {s for table in project.dbt.declared() if table.kind == "days" for s in table.streams}
    assert {each.name for each in contracts() if is_read(each.name)} == behind
    assert not is_read("no_stream")
