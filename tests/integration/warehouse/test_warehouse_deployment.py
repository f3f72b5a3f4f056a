"""Deployments: the first one, one without changes, and one after changes; the assets use it."""

from __future__ import annotations

import time

import pytest

from social_assets.warehouse.dbt.deployment import deploy_warehouse
from social_assets.warehouse.dbt.project import dbt_arguments, dbt_environment, run_dbt
from tests.integration.warehouse.conftest import WarehouseUnderTest
from tests.integration.warehouse.samples import STREAMS


def test_deploying_again_does_nothing_and_takes_no_time(deployed: WarehouseUnderTest) -> None:
    began = time.process_time()
    assert not deploy_warehouse(deployed.endpoint, deployed.home)
    assert time.process_time() - began < 1


@pytest.mark.endurance
def test_a_view_that_differs_is_restored_and_a_forgotten_one_dropped(
    warehouse: WarehouseUnderTest,
) -> None:
    view = "internal.fact_engagement__from__engagement_events"
    query = f"SELECT as_select FROM system.tables WHERE concat(database, '.', name) = '{view}'"
    stands = warehouse.value(query)
    warehouse.client.command(f"ALTER TABLE {view} MODIFY QUERY {stands} LIMIT 1")
    warehouse.client.command(
        "CREATE MATERIALIZED VIEW rollups.forgotten TO rollups.engagement_daily "
        "AS SELECT * FROM rollups.engagement_daily"
    )
    warehouse.client.command("TRUNCATE TABLE star.deployments")

    assert deploy_warehouse(warehouse.endpoint, warehouse.home)

    assert warehouse.value(query) == stands
    assert warehouse.value("SELECT count() FROM system.tables WHERE name = 'forgotten'") == 0


def test_no_view_that_feeds_a_table_is_listed_among_the_tables(
    deployed: WarehouseUnderTest,
) -> None:
    listed = deployed.client.query(
        "SELECT database, count() FROM system.tables WHERE engine = 'MaterializedView' GROUP BY 1"
    ).result_rows
    assert [database for database, _ in listed] == ["internal"]


def as_an_older_version_left_it(warehouse: WarehouseUnderTest) -> int:
    """Create the views in the databases of their tables; returns the number of views."""
    views = warehouse.client.query(
        "SELECT name, if(name LIKE 'dim%' OR name LIKE 'fact%', 'star', 'rollups')\n"
        "FROM system.tables WHERE database = 'internal' AND engine = 'MaterializedView'"
    ).result_rows
    for name, database in views:
        warehouse.client.command(f"RENAME TABLE internal.{name} TO {database}.{name}")
    warehouse.client.command("TRUNCATE TABLE star.deployments")
    return len(views)


def views_of(warehouse: WarehouseUnderTest, *databases: str) -> int:
    listed = ", ".join(f"'{name}'" for name in databases)
    return warehouse.value(
        "SELECT count() FROM system.tables\n"
        f"WHERE engine = 'MaterializedView' AND database IN ({listed})"
    )


@pytest.mark.endurance
def test_views_of_an_older_version_are_moved_without_losing_or_doubling_a_row(
    warehouse: WarehouseUnderTest,
) -> None:
    """An incomplete batch is completed first: the views hold its token."""
    views = as_an_older_version_left_it(warehouse)
    for name, rows in STREAMS.items():
        warehouse.stream(name, *rows(), batch=f"before-{name}")
    before = warehouse.content()
    warehouse.client.command(
        "ALTER TABLE cleaned.loaded_batches DELETE WHERE batch_id = 'before-posts'\n"
        "SETTINGS mutations_sync = 1"
    )

    assert not deploy_warehouse(warehouse.endpoint, warehouse.home)
    assert views_of(warehouse, "internal") == 0
    warehouse.stream("posts", *STREAMS["posts"](), batch="before-posts")
    assert deploy_warehouse(warehouse.endpoint, warehouse.home)

    assert warehouse.content() == before
    assert (views_of(warehouse, "star", "rollups"), views_of(warehouse, "internal")) == (0, views)
    warehouse.empty("cleaned", "star", "rollups")
    for name, rows in STREAMS.items():
        warehouse.stream(name, *rows(), batch=f"after-{name}")
    assert warehouse.content() == before


@pytest.mark.endurance
def test_a_view_that_stands_twice_is_dropped_where_the_older_version_kept_it(
    warehouse: WarehouseUnderTest,
) -> None:
    name = "fact_engagement__from__engagement_events"
    select = warehouse.value(
        f"SELECT as_select FROM system.tables WHERE database = 'internal' AND name = '{name}'"
    )
    warehouse.client.command(
        f"CREATE MATERIALIZED VIEW star.{name} TO star.fact_engagement AS {select}"
    )
    warehouse.client.command("TRUNCATE TABLE star.deployments")

    assert deploy_warehouse(warehouse.endpoint, warehouse.home)

    listed = f"SELECT groupArray(database) FROM system.tables WHERE name = '{name}'"
    assert warehouse.value(listed) == ["internal"]


@pytest.mark.endurance
def test_a_dropped_table_or_view_is_made_again_and_named(warehouse: WarehouseUnderTest) -> None:
    deploy_warehouse(warehouse.endpoint, warehouse.home)
    dropped = {
        "cleaned.posts": "TABLE",
        "rollups.engagement_daily": "TABLE",
        "internal.fact_engagement__from__engagement_events": "VIEW",
    }
    for name, kind in dropped.items():
        warehouse.client.command(f"DROP {kind} {name} SYNC")

    deployed = deploy_warehouse(warehouse.endpoint, warehouse.home)

    assert set(dropped) <= set(deployed.remade)
    assert "social-assets deploy" in str(deployed)
    there = "SELECT count() FROM system.tables WHERE concat(database, '.', name) = '{}'"
    assert [warehouse.value(there.format(name)) for name in dropped] == [1, 1, 1]
    for name, rows in STREAMS.items():
        warehouse.stream(name, *rows())
    assert warehouse.value("SELECT count() FROM star.fact_engagement") > 0
    assert str(deploy_warehouse(warehouse.endpoint, warehouse.home)) == "nothing to do"


@pytest.mark.endurance
def test_the_tests_of_the_dbt_project_pass(warehouse: WarehouseUnderTest) -> None:
    for name, rows in STREAMS.items():
        warehouse.stream(name, *rows())
    tests = [name for name in warehouse.project.manifest["nodes"] if name.startswith("test.")]
    assert len(tests) > 40
    run_dbt(
        warehouse.project.dbt,
        dbt_arguments("test"),
        dbt_environment(warehouse.endpoint, "test", 4),
        warehouse.home.logs,
    )
