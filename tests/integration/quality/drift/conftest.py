"""A home with a deployed warehouse."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from resources.clickhouse.resource import URL_VARIABLE
from resources.embedded_clickhouse.lifecycle import stop
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.defs.stores import LAKE_URL


@pytest.fixture(scope="module")
def home(deployed_home: Callable[[str], Home]) -> Iterator[Home]:
    found = deployed_home("drift")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(ENVIRONMENT_VARIABLE, str(found.path))
        environment.delenv(URL_VARIABLE, raising=False)
        environment.delenv(LAKE_URL, raising=False)
        yield found
        stop(found)
