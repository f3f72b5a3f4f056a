"""The prepared dbt project: parsed once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from resources.settings.home import Home
from social_assets.warehouse.dbt.tables import Warehouse


@pytest.fixture(scope="session")
def project(deployed_home: Callable[[str], Home]) -> Warehouse:
    return Warehouse.of(deployed_home("dbt"))
