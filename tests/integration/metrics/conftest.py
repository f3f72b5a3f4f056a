"""A warehouse that holds the records of `records`, for questions about metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from resources.settings.home import Home
from tests.integration.metrics.records import of_all_streams
from tests.integration.warehouse.conftest import WarehouseUnderTest, served


@pytest.fixture(scope="session")
def filled(deployed_home: Callable[[str], Home]) -> Iterator[WarehouseUnderTest]:
    with served(deployed_home("metrics")) as warehouse:
        for stream, rows in of_all_streams().items():
            warehouse.stream(stream, *rows)
        yield warehouse
