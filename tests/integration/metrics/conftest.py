"""A warehouse that holds the records of `records`, for questions about metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from resources.settings.home import Home
from social_assets.warehouse.text_tables import COLUMNS, SENTIMENT
from tests.integration.metrics.records import (
    DAYS,
    DAYS_BEFORE,
    FIRST,
    YEAR_BEFORE,
    of_all_streams,
    recommendations,
    texts,
    unusual,
)
from tests.integration.warehouse.conftest import WarehouseUnderTest, served

_FEATURES = (
    "sessions",
    "sessions_daily",
    "recommendation_exposures",
    "recommendation_positions_daily",
)
_PERIODS = ((YEAR_BEFORE, DAYS_BEFORE), (FIRST, DAYS))


@pytest.fixture(scope="session")
def filled(deployed_home: Callable[[str], Home]) -> Iterator[WarehouseUnderTest]:
    with served(deployed_home("metrics")) as warehouse:
        for stream, rows in (of_all_streams() | recommendations(1_200)).items():
            warehouse.stream(stream, *rows)
        for first, days in _PERIODS:
            last = first + timedelta(days=days)
            warehouse.backfill(first.date(), last.date(), *_FEATURES)
        names = [column.name for column in COLUMNS]
        scored = [[row[name] for name in names] for row in texts(1_500)]
        warehouse.client.insert(SENTIMENT, scored, names)
        for table, unusual_rows in unusual(400).items():
            columns = list(unusual_rows[0])
            values = [[row[name] for name in columns] for row in unusual_rows]
            warehouse.client.insert(f"features.{table}", values, columns)
        yield warehouse
