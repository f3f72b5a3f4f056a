"""A lost warehouse is made anew from the lake, row for row, though the command is killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from resources.clickhouse.resource import ClickHouseResource
from resources.embedded_clickhouse.lifecycle import stop
from resources.settings.home import Home
from tests.e2e.commands.test_command_line import LIKE, run

pytestmark = [pytest.mark.timeout(1800), pytest.mark.endurance]

Figures = dict[str, tuple[int, int]]

_RECORDS = (
    *("star.deployments", "cleaned.loaded_batches", "cleaned.loaded_until"),
    "cleaned.compared_days",
)
"""They say when and how something was done; comparisons of days are made again at night."""


def figures() -> Figures:
    """Rows, and a sum over all of them, of each table of the warehouse that has rows."""
    found: Figures = {}
    with ClickHouseResource().client() as client:
        tables = client.query(
            "SELECT concat(database, '.', name) FROM system.tables\n"
            "WHERE database IN ('cleaned', 'star', 'rollups') AND engine LIKE '%MergeTree'\n"
            "AND name NOT IN ('pending_days', 'persons_refreshed')"
        ).result_columns[0]
        for table in set(tables) - set(_RECORDS):
            client.command(f"OPTIMIZE TABLE {table} FINAL")
            ((rows, total),) = client.query(
                f"SELECT count(), sum(cityHash64(formatRow('RowBinary', *))) FROM {table}"
            ).result_rows
            # Those of persons are made by the first refresh, with rows or not.
            if rows:
                found[table] = (int(rows), int(total))
    return found


def killed_rebuild(at: str) -> None:
    """Run the command, and kill it when it has said this."""
    command = [sys.executable, "-m", "social_assets", "rebuild-warehouse"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if at in line:
                process.send_signal(signal.SIGKILL)
                break
        else:
            pytest.fail(f"the command did not say {at!r}")


def test_a_lost_warehouse_is_made_anew_though_the_command_is_killed(
    home: Home, tmp_path: Path
) -> None:
    for number in range(2):
        file = tmp_path / f"{number}.ndjson"
        lines = (
            LIKE.format(id=f"{number}-{day}", value=1).replace("2026-11-01", f"2026-11-0{day}")
            for day in (1, 2, 4)
        )
        file.write_text("".join(lines))
        assert run("load", "engagement_events", str(file)) == 0
    before = figures()
    assert before["star.fact_engagement"][0] == before["cleaned.engagement_events"][0] == 6
    assert before["rollups.engagement_daily"][0] == 3
    stop(home)
    shutil.rmtree(home.clickhouse)
    for moment in ("making tables", "cleaned.engagement_events", "facts and rollups"):
        killed_rebuild(moment)
    assert run("rebuild-warehouse") == 0
    assert figures() == before
    # The next load inserts its own rows alone.
    more = tmp_path / "more.ndjson"
    more.write_text(LIKE.format(id="more", value=1))
    assert run("load", "engagement_events", str(more)) == 0
    after = figures()
    assert after["star.fact_engagement"][0] == after["cleaned.engagement_events"][0] == 7
