"""The prepared dbt project: parsed once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from resources.home import Home
from social_assets.defs.dbt_translator import Warehouse


@pytest.fixture(scope="session")
def project(deployed_home: Callable[[str], Home]) -> Warehouse:
    return Warehouse.of(deployed_home("dbt"))
