"""A warehouse with events of users on known days, and its layer `features`."""

from __future__ import annotations

import pytest

from tests.integration.warehouse.conftest import WarehouseUnderTest, deployed, warehouse
from tests.integration.warehouse.features.conftest import FeaturesUnderTest

__all__ = ["deployed", "warehouse"]


@pytest.fixture
def features(warehouse: WarehouseUnderTest) -> FeaturesUnderTest:
    """The layer without rows."""
    return FeaturesUnderTest(warehouse)
