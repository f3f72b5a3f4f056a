"""Measures the features of users: seconds and memory to build a day that a load has changed.

    python -m bench.understand.sessions [--events N]

Each of four days has so many events: the day and the three days before it, which its sessions and
those of the days around depend on. A run builds the day as the assets do, by dbt. The peak is that
of ClickHouse during the runs, with what it has cached.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bench.figures import Figure
from resources.clickhouse.resource import client_of
from resources.embedded_clickhouse.files import ServerFiles
from resources.embedded_clickhouse.lifecycle import Endpoint, ensure_running, stop
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.warehouse.dbt.deployment import deploy_warehouse
from social_assets.warehouse.dbt.project import Days, dbt_arguments, dbt_environment, run_dbt
from social_assets.warehouse.dbt.tables import Warehouse
from social_assets.warehouse.tables import views_of

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

DAY, DAYS = date(2026, 7, 15), 4
SECONDS, GIB = 60.0, 2.0
_USERS = 100_000
_RUN = "bench.understand.sessions"
_RESET_PEAK = "5"
"""What Linux takes for: the peak of the process is what it has now."""

# A visit has five events with up to nine minutes between them; some go on after midnight.
_FACT = "star.fact_engagement"
_FILL = f"""
INSERT INTO {_FACT}
SELECT
    toDate(happened, 'UTC'), happened, toString(number), MD5(toString(number % 1000)),
    MD5(toString(cityHash64(number) % 50000)),
    MD5(toString(cityHash64(visit, {{day:Date}}) % {{users:UInt64}})),
    MD5(['TikTok', 'YouTube', 'X'][1 + visit % 3]), MD5('t'), MD5('d'), 'like', 1.
FROM (
    SELECT number, intDiv(number, 5) AS visit,
        toDateTime64({{day:Date}}, 6, 'UTC') + cityHash64(visit) % 86400
            + (number % 5) * (10 + cityHash64(visit, 1) % 530) AS happened
    FROM numbers({{events:UInt64}}))
WHERE toDate(happened, 'UTC') <= {{last:Date}}
"""


def main() -> None:
    """Measure, and print a line a figure. Exits with 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="of each day")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sessions") as folder:
        home = Home(Path(folder))
        os.environ[ENVIRONMENT_VARIABLE] = str(home.path)
        endpoint = ensure_running(home)
        try:
            deploy_warehouse(endpoint, home)
            with client_of(endpoint, _RUN) as client:
                _fill(client, options.events)
                figures = list(_measured(client, endpoint, home))
        finally:
            stop(home)
    print("\n".join(figure.line() for figure in figures))
    if not all(figure.is_met for figure in figures):
        raise SystemExit(1)


def _fill(client: Client, events: int) -> None:
    # Rollups are not measured here, and take memory.
    for view in views_of(client, _FACT):
        client.command(f"DROP VIEW {view} SYNC")
    for number in range(DAYS):
        day = DAY - timedelta(days=number)
        parameters = {"day": day, "events": events, "last": DAY, "users": _USERS}
        client.command(_FILL, parameters=parameters, settings={"insert_deduplicate": 0})


def _measured(client: Client, endpoint: Endpoint, home: Home) -> Iterator[Figure]:
    warehouse = Warehouse.of(home)
    models = [table.name for table in warehouse.tables("features")]
    server = int(ServerFiles(home).server_lock.read_text())
    Path(f"/proc/{server}/clear_refs").write_text(_RESET_PEAK)
    for name, chosen in (("sessions", ["sessions"]), ("all tables", models)):
        begun = time.monotonic()
        arguments = dbt_arguments("run", chosen, days=Days(DAY, DAY))
        run_dbt(warehouse.dbt, arguments, dbt_environment(endpoint, _RUN, 2), home.logs)
        target = SECONDS if name == "sessions" else None
        yield Figure(name, "to build a day", time.monotonic() - begun, "s", target)
    [(events, sessions)] = client.query(
        f"SELECT sum(events), count() FROM features.sessions WHERE event_date = '{DAY}'"
    ).result_rows
    yield Figure("the day", "events of its sessions", events, "events")
    yield Figure("the day", "sessions", sessions, "sessions")
    yield Figure("all tables", "peak of ClickHouse", _peak(server) / 2**20, "GiB", GIB)


def _peak(process: int) -> int:
    """The peak of a process since it was last reset, in KiB."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    (kib,) = (line.split()[1] for line in lines if line.startswith("VmHWM"))
    return int(kib)


if __name__ == "__main__":
    main()
