"""A home whose lake and warehouse have a small sample of every stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import pytest

from resources.clickhouse.resource import URL_VARIABLE, ClickHouseResource
from resources.embedded_clickhouse.lifecycle import stop
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.contracts.registry import contracts
from social_assets.defs.stores import StoresResource
from social_assets.demo.samples import generate
from social_assets.pipeline.stores import Stores
from social_assets.pipeline.stream_work import ingest_files

LAST = date(2026, 3, 4)


@pytest.fixture(scope="module")
def home(deployed_home: Callable[[str], Home]) -> Iterator[Home]:
    found = deployed_home("conserved")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(ENVIRONMENT_VARIABLE, str(found.path))
        environment.delenv(URL_VARIABLE, raising=False)
        yield found
        stop(found)


@pytest.fixture(scope="module")
def stores(home: Home) -> Stores:
    """The stores of the home, with the samples."""
    found = StoresResource(clickhouse=ClickHouseResource()).stores()
    samples = generate(home.samples, events=1_500, days=3, end=LAST, seed=5)
    for contract in contracts():
        for file in samples:
            if file.stream == contract.name:
                ingest_files(found.of(contract), [file.path], file.date)
    return found
