"""Tests of the dbt project, run by their names."""

from __future__ import annotations

from social_assets.warehouse.dbt.project import dbt_arguments, dbt_environment, run_dbt
from tests.integration.warehouse.conftest import WarehouseUnderTest


def run_checks(warehouse: WarehouseUnderTest, *names: str) -> None:
    """Raises DbtError if one of them fails."""
    environment = dbt_environment(warehouse.endpoint, "test", 1)
    run_dbt(warehouse.project.dbt, dbt_arguments("test", names), environment, warehouse.home.logs)
