"""A warehouse that holds the records of `records`, for questions about metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from resources.settings.home import Home
from social_assets.warehouse.text_tables import COLUMNS, SENTIMENT
from tests.integration.metrics.records import of_all_streams, texts
from tests.integration.warehouse.conftest import WarehouseUnderTest, served


@pytest.fixture(scope="session")
def filled(deployed_home: Callable[[str], Home]) -> Iterator[WarehouseUnderTest]:
    with served(deployed_home("metrics")) as warehouse:
        for stream, rows in of_all_streams().items():
            warehouse.stream(stream, *rows)
        names = [column.name for column in COLUMNS]
        scored = [[row[name] for name in names] for row in texts(1_500)]
        warehouse.client.insert(SENTIMENT, scored, names)
        yield warehouse
