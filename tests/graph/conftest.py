"""A home of its own for each module of graph tests, with the embedded ClickHouse stopped after."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.embedded_clickhouse.lifecycle import stop
from resources.home import Home


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """The home that the environment names, for the tests of one module."""
    folder: Path = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOCIAL_ASSETS_HOME", str(folder))
        patch.delenv("SOCIAL_ASSETS_CLICKHOUSE_URL", raising=False)
        patch.delenv("SOCIAL_ASSETS_LAKE_URL", raising=False)
        found = Home(folder)
        yield found
        stop(found)
