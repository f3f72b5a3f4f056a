"""The warehouse as the shipper uses it: as long as it runs.

Belongs here: clients that start no embedded server. A shipper that started it would keep it alive
for ever: each start and end is a log line, which would have to be shipped.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from resources.clickhouse.resource import (
    URL_VARIABLE,
    ClickHouseUnreachableError,
    client_of,
    endpoint_of_url,
)
from resources.embedded_clickhouse.lifecycle import EmbeddedServerError, running_endpoint
from resources.settings.home import Home

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client


@dataclass(frozen=True)
class RunningWarehouse:
    """The server that the environment names, or the embedded one of the home."""

    home: Home

    @contextmanager
    def client(self, log_comment: str | None = None) -> Iterator[Client]:
        """A client for the block. Raises ClickHouseUnreachableError if the server does not run."""
        url = os.environ.get(URL_VARIABLE)
        endpoint = endpoint_of_url(url) if url else running_endpoint(self.home)
        if endpoint is None:
            raise ClickHouseUnreachableError(
                f"the embedded ClickHouse of {self.home.path} does not run;"
                " `social-assets serve-clickhouse`, or any command that asks it, starts it"
            )
        with client_of(endpoint, log_comment) as client:
            yield client


def failures() -> tuple[type[Exception], ...]:
    """What is raised while a warehouse is away or cannot take lines, or a disk is full."""
    from clickhouse_connect.driver.exceptions import ClickHouseError
    from urllib3.exceptions import HTTPError

    return (ClickHouseError, EmbeddedServerError, HTTPError, OSError)
