from __future__ import annotations

from dataclasses import replace

from dagster import AssetKey, AssetSpec
from dagster_dbt import build_dbt_asset_specs

from social_assets.warehouse.dbt.tables import Warehouse
from social_assets.warehouse.dbt.translator import WarehouseTranslator

FEEDING_VIEW = "__from__"


def specs(project: Warehouse, layer: str) -> list[AssetSpec]:
    """The assets as `dagster_dbt` makes them."""
    models = project.models(set(project.upstream(layer)))
    translator = WarehouseTranslator(project)
    return list(
        build_dbt_asset_specs(
            manifest=project.manifest,
            dagster_dbt_translator=translator,
            select=" ".join(models),
        )
    )


def spec(project: Warehouse, layer: str, name: str) -> AssetSpec:
    return next(s for s in specs(project, layer) if s.key == AssetKey([layer, name]))


def test_a_layer_is_database_group_and_first_part_of_the_key(project: Warehouse) -> None:
    for layer in ("star", "rollups"):
        for found in specs(project, layer):
            assert found.group_name == layer
            assert found.key.path[0] == layer
            assert found.metadata["dagster/table_name"] == ".".join(found.key.path)


def test_every_asset_says_what_it_is_whose_it_is_and_what_its_rows_are(project: Warehouse) -> None:
    for found in [*specs(project, "star"), *specs(project, "rollups")]:
        assert found.description and "one row a" in found.description
        assert found.owners and found.owners[0].startswith("team:")
        assert found.kinds == {"dbt", "clickhouse"}
        assert found.metadata["dagster/column_schema"].columns


def test_feeding_views_and_states_are_no_assets(project: Warehouse) -> None:
    names = [s.key.path[-1] for layer in ("star", "rollups") for s in specs(project, layer)]
    assert len(names) == len(set(names))
    assert not [name for name in names if FEEDING_VIEW in name]
    assert not [name for name in names if name.startswith("dim_") and name.endswith("_daily")]


def test_a_dimension_is_built_by_its_states_and_shown_as_its_view(project: Warehouse) -> None:
    found = spec(project, "star", "dim_user")
    assert project.models({found.key}) == ["dim_user_daily"]
    columns = {c.name: c for c in found.metadata["dagster/column_schema"].columns}
    assert columns["age"].type == "Nullable(Int64)"
    assert columns["user_key"].constraints.unique
    assert columns["age"].constraints.nullable


def test_upstream_are_the_cleaned_streams_and_the_tables_read(project: Warehouse) -> None:
    def upstream(layer: str, name: str) -> set[str]:
        return {"/".join(d.asset_key.path) for d in spec(project, layer, name).deps}

    assert upstream("star", "fact_engagement") == {"cleaned/engagement_events"}
    assert upstream("star", "dim_post") == {"cleaned/engagement_events", "cleaned/posts"}
    assert upstream("rollups", "engagement_daily") == {"star/fact_engagement"}
    assert upstream("rollups", "engagement_overview") == {
        "rollups/engagement_daily",
        "star/dim_platform",
    }


def test_an_asset_stands_after_those_of_its_layer_that_it_is_made_of(project: Warehouse) -> None:
    upstream = project.upstream("rollups")
    assert upstream[AssetKey(["rollups", "engagement_account_daily"])] == [
        AssetKey(["rollups", "engagement_account_hourly"])
    ]
    before: set[AssetKey] = set()
    for key, sources in upstream.items():
        assert {source for source in sources if source in upstream} <= before
        before.add(key)


def test_what_loads_know_of_upstream_is_what_the_library_says(project: Warehouse) -> None:
    for layer in ("star", "rollups"):
        told = {s.key: sorted(d.asset_key for d in s.deps) for s in specs(project, layer)}
        assert project.upstream(layer) == told


def test_a_macro_that_changes_is_a_new_version_of_the_models_that_call_it(
    project: Warehouse,
) -> None:
    called = "macro.social_assets.fact_engagement_select"
    macros = project.manifest["macros"]
    changed = {**macros, called: {**macros[called], "macro_sql": "{# another #}"}}
    other = replace(project, manifest={**project.manifest, "macros": changed})

    before = {s.key: s.code_version for s in specs(project, "star")}
    after = {s.key: s.code_version for s in specs(other, "star")}

    fact, other_fact = (
        AssetKey(["star", f"fact_{name}"]) for name in ("engagement", "video_interactions")
    )
    assert before[fact] != after[fact]
    assert before[other_fact] == after[other_fact]


def test_a_key_of_a_fact_names_the_dimension_it_refers_to(project: Warehouse) -> None:
    columns = spec(project, "star", "fact_engagement").metadata["dagster/column_schema"].columns
    account = next(c for c in columns if c.name == "account_key")
    assert account.constraints.other == ["refers to star.dim_account"]


def test_columns_lead_to_the_columns_they_are_made_of(project: Warehouse) -> None:
    def origins(layer: str, name: str, column: str) -> set[str]:
        lineage = project.lineage_of(AssetKey([layer, name])).deps_by_column
        return {f"{'/'.join(d.asset_key.path)}.{d.column_name}" for d in lineage[column]}

    assert origins("star", "fact_engagement", "account_key") == {
        "cleaned/engagement_events.account_id"
    }
    assert origins("star", "dim_user", "location") == {
        "cleaned/video_interactions.event_time",
        "cleaned/video_interactions.location",
    }
    assert origins("rollups", "platform_daily", "engagement_sum") == {
        "star/fact_engagement.value",
        "star/fact_video_interactions.engagement",
        "star/fact_live_streaming_interactions.live_engagement",
        "star/fact_community_interactions.community_engagement",
    }
    assert origins("rollups", "engagement_overview", "platform") == {"star/dim_platform.platform"}


def test_every_asset_with_upstream_has_lineage_for_its_key_columns(project: Warehouse) -> None:
    for layer in ("star", "rollups"):
        for found in specs(project, layer):
            upstream = {d.asset_key for d in found.deps}
            lineage = project.lineage_of(found.key).deps_by_column
            assert {d.asset_key for deps in lineage.values() for d in deps} == upstream
