"""Seconds and memory of a refresh of persons: of all links, of no new link, of a thousand more.

    python -m bench.persons [--links 1000000]

Each link connects one of half as many users with an account of their own. Starts an embedded
ClickHouse in a temporary home.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bench.figures import Figure
from resources.clickhouse.resource import client_of
from resources.embedded_clickhouse.lifecycle import ensure_running, stop
from resources.settings.home import Home
from social_assets.contracts.identity_links import CONTRACT
from social_assets.pipeline.identity.refresh_persons import refresh_persons
from social_assets.quality.persons import linked_persons, merges_that_lead_astray
from social_assets.warehouse import ddl

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_MORE = 1000
_LINKS = """
INSERT INTO cleaned.identity_links
    (link_id, linked_at, platform, user_id, linked_platform, linked_user_id, declared_by,
     event_time, event_date, ingested_at, batch_id)
SELECT
    toString(number),
    toDateTime64('2026-01-01 00:00:00', 6, 'UTC') + number % 2000000 AS at,
    ['Facebook', 'Instagram', 'X'][1 + number % 3],
    toString(sipHash64(number, 1) % {users:UInt64}),
    ['TikTok', 'YouTube'][1 + number % 2],
    toString(sipHash64(number)),
    'login', at, toDate(at), now64(6), 'batch'
FROM numbers({first:UInt64}, {count:UInt64})
"""


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--links", type=int, default=1_000_000)
    links: int = parser.parse_args().links
    with tempfile.TemporaryDirectory(prefix="persons-") as folder:
        home = Home(Path(folder))
        endpoint = ensure_running(home)
        try:
            with client_of(endpoint, "bench") as client:
                for figure in _measured(client, home, links):
                    print(figure.line(), flush=True)
        finally:
            stop(home)


def _measured(client: Client, home: Home, links: int) -> list[Figure]:
    client.command(ddl.create_database())
    client.command(ddl.create_table(CONTRACT))
    figures = []
    for name, first, count in (
        (f"{links:,} links", 0, links),
        ("no new link", links, 0),
        (f"{_MORE:,} new links", links, _MORE),
    ):
        users = max(1, links // 2)
        client.command(_LINKS, parameters={"first": first, "count": count, "users": users})
        started = time.perf_counter()
        found = refresh_persons(client, home.path / "locks", "bench", datetime.now(UTC))
        figures.append(Figure("persons", name, time.perf_counter() - started, "s"))
        figures.append(Figure("persons", f"{name}, rows written", found.changed, "rows"))
    started = time.perf_counter()
    is_right = linked_persons(client, datetime.now(UTC)).is_right
    if not is_right or merges_that_lead_astray(client).wrong:
        raise AssertionError("the persons are not what the links say")
    figures.append(Figure("persons", "both checks", time.perf_counter() - started, "s"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [*figures, Figure("persons", "peak of memory, ClickHouse not counted", peak, "MiB")]


if __name__ == "__main__":
    main()
