"""Collects from all platforms by the clock of the server, in a process to be killed.

    python -m bench.collection.collect_worker URL PLATFORM ...

The home is that of the environment. The runs are those of `social-assets collect`; only the clock
is another, and waiting moves it. What failed is collected again when it is due again.
"""

from __future__ import annotations

import math
import sys
from datetime import UTC, datetime
from functools import partial

import httpx

from resources.settings.home import Home
from social_assets.control.collection.tracked_accounts import TrackedAccounts
from social_assets.control.engine import open_engine
from social_assets.ingest.connectors import client
from social_assets.ingest.connectors.registry import connector_of
from social_assets.operate.runs.start import collect

SECONDS = 3_600.0
"""Of a run: real seconds, after which it begins no chain."""


MOST_REPEATS = 200


class ServerClock:
    """The clock of the server, in whole seconds."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._now = httpx.get(f"{url}/__clock").raise_for_status().json()["unix"]

    def __call__(self) -> datetime:
        """The time."""
        return datetime.fromtimestamp(self._now, UTC)

    def sleep(self, seconds: float) -> None:
        """Move the clock; nobody waits."""
        said = {"advance_seconds": math.ceil(seconds)}
        moved = httpx.post(f"{self._url}/__clock", json=said).raise_for_status()
        self._now = moved.json()["unix"]


def main() -> None:
    """Run collections until nothing is due and nothing waits to be tried again."""
    url, *platforms = sys.argv[1:]
    clock, home = ServerClock(url), Home.from_environment()
    client.ConnectorClient = partial(  # type: ignore[misc,assignment]
        client.ConnectorClient, clock=clock, sleep=clock.sleep
    )
    tracked = TrackedAccounts(open_engine(home))
    for _ in range(MOST_REPEATS):
        for connector in map(connector_of, platforms):
            platform = connector.platform
            if tracked.due(platform, clock(), 1) or tracked.without_endpoints(platform, 1):
                run = collect(home, connector, SECONDS, print)
                print(platform, run.counts, flush=True)
        failed = [each for each in tracked.list() if each.problem and not each.paused_at]
        again = [each.next_due_at for each in failed if each.next_due_at]
        if not again:
            return
        print(f"{len(failed)} accounts failed, so {failed[0].problem}", flush=True)
        clock.sleep(max(1.0, (max(again) - clock()).total_seconds()))
    raise RuntimeError(f"after {MOST_REPEATS} collections it still fails")


if __name__ == "__main__":
    main()
