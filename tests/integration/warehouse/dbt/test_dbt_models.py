from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from resources.settings.home import Home
from social_assets.contracts import registry
from social_assets.warehouse.dbt.project import prepare, sources_yaml
from social_assets.warehouse.dbt.tables import Warehouse

SIXTH = '''
"""Stories that people post for a day."""

import pandera.ibis as pa

from social_assets.contracts.contract import Contract


class Story(pa.DataFrameModel):
    """One story."""

    story_id: str = pa.Field(description="The story")


CONTRACT = Contract(
    name="stories", model=Story, key=("story_id",), formats=("ndjson",), owner="team:content"
)
'''


def models(project: Warehouse) -> list[dict[str, object]]:
    nodes = project.manifest["nodes"].values()
    return [node for node in nodes if node["resource_type"] == "model"]


def test_every_model_and_column_is_described(project: Warehouse) -> None:
    for model in models(project):
        assert model["description"], model["name"]
        for name, column in model["columns"].items():
            assert column["description"], f"{model['name']}.{name}"


def test_every_table_and_view_declares_its_columns_with_types(project: Warehouse) -> None:
    for model in models(project):
        if model["config"]["materialized"] != "materialized_view":
            assert model["columns"], model["name"]
            assert all(c["data_type"] for c in model["columns"].values()), model["name"]


def test_every_metric_of_a_fact_is_a_float_and_every_key_sixteen_bytes(project: Warehouse) -> None:
    metrics = 0
    for table in project.tables("star"):
        if not table.name.startswith("fact_"):
            continue
        for name, kind in table.columns.items():
            if name.endswith("_key"):
                assert kind == "FixedString(16)"
            metrics += kind == "Float64"
            assert not kind.startswith(("Decimal", "Float32", "UInt"))
    assert metrics == 19


def test_every_table_is_fed_by_a_view_for_each_thing_it_is_built_from(project: Warehouse) -> None:
    nodes = project.manifest["nodes"]
    for layer in ("star", "rollups"):
        for table in project.tables(layer):
            node = nodes[f"model.social_assets.{table.name}"]
            feeding = [
                view
                for view in models(project)
                if view["config"]["materialized"] == "materialized_view"
                and node["unique_id"] in view["depends_on"]["nodes"]
                and view["name"].startswith(f"{table.name.removesuffix('_daily')}")
            ]
            read = {u for v in feeding for u in v["depends_on"]["nodes"]} - {node["unique_id"]}
            assert read == set(node["depends_on"]["nodes"]), table.name


@pytest.mark.endurance
def test_a_sixth_stream_is_a_source_with_no_other_edit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "stories.py").write_text(SIXTH)
    monkeypatch.setenv(registry.EXTRA_CONTRACTS, str(tmp_path / "contracts"))
    registry.registered.cache_clear()
    try:
        sources = yaml.safe_load(sources_yaml())["sources"][0]["tables"]
        assert "stories" in {table["name"] for table in sources}
        manifest = prepare(Home(tmp_path / "home")).manifest()
        assert "source.social_assets.cleaned.stories" in manifest["sources"]
    finally:
        registry.registered.cache_clear()


def test_a_project_prepared_once_is_not_prepared_again(project: Warehouse) -> None:
    home = Home(project.dbt.path.parents[1])
    written = project.dbt.prepared.stat().st_mtime_ns
    assert prepare(home) == project.dbt
    assert project.dbt.prepared.stat().st_mtime_ns == written
