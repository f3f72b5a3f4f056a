"""The prepared dbt project: parsed once, without a server."""

from __future__ import annotations

import pytest

from resources.home import Home
from social_assets.defs.dbt_translator import Warehouse


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return Warehouse.of(Home(tmp_path_factory.mktemp("dbt")))
