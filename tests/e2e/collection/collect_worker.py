"""Collects everything that is due, by the clock of the platform server, in a process to be killed.

`python -m tests.e2e.collection.collect_worker URL`: the home is that of the environment.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import httpx

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.control.engine import open_engine
from social_assets.defs.stores import StoresResource
from social_assets.ingest.connectors.client import ConnectorClient
from social_assets.ingest.connectors.registry import connectors
from social_assets.pipeline.collection.collect_due import Collection


class ServerClock:
    """The clock of the server; waiting moves it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._now = httpx.get(f"{url}/__clock").raise_for_status().json()["unix"]

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(self._now, UTC)

    def sleep(self, seconds: float) -> None:
        moved = httpx.post(f"{self._url}/__clock", json={"advance_seconds": seconds})
        self._now = moved.raise_for_status().json()["unix"]


def main() -> None:
    """Collect from all platforms until nothing is due."""
    clock = ServerClock(sys.argv[1])
    home = Home.from_environment()
    engine = open_engine(home)
    stores = StoresResource(clickhouse=ClickHouseResource()).stores()
    for connector in connectors():
        with ConnectorClient(
            connector, home, engine, clock=clock, sleep=clock.sleep, patience=1e6
        ) as client:
            found = Collection(connector, home, engine, stores).collect(client)
        for error in found.errors:
            sys.stdout.write(f"{error}\n")
        sys.stdout.write(f"{connector.platform}: {found.records} records\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
