"""Gives each module of end-to-end tests a home, and stops its embedded ClickHouse at the end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from resources.embedded_clickhouse.lifecycle import stop
from resources.settings.home import Home


@pytest.fixture(scope="module")
def home(deployed_home: Callable[[str], Home]) -> Iterator[Home]:
    """The home of one module, which the environment names."""
    found = deployed_home("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOCIAL_ASSETS_HOME", str(found.path))
        patch.delenv("SOCIAL_ASSETS_CLICKHOUSE_URL", raising=False)
        patch.delenv("SOCIAL_ASSETS_LAKE_URL", raising=False)
        yield found
        stop(found)


@pytest.fixture(autouse=True)
def _home_of_the_next_test() -> Iterator[None]:
    """Takes back the home that `--home` of a command names for the rest of its process."""
    before = os.environ.get("SOCIAL_ASSETS_HOME")
    yield
    if before is None:
        os.environ.pop("SOCIAL_ASSETS_HOME", None)
    else:
        os.environ["SOCIAL_ASSETS_HOME"] = before
