"""The next command completes what a dropped table or a killed rebuild left incomplete."""

from __future__ import annotations

import json
import os
import shutil
import signal
from datetime import date
from pathlib import Path

import pytest

from resources.clickhouse.resource import ClickHouseResource
from resources.embedded_clickhouse.files import ServerFiles
from resources.settings.home import Home
from social_assets.contracts.registry import contract
from social_assets.defs.stores import StoresResource
from social_assets.pipeline.stream_work import land_files, rebuild
from tests.e2e.commands.test_command_line import LIKE, run

pytestmark = pytest.mark.endurance

DAY = date(2026, 11, 1)
FIGURES = """
SELECT
    (SELECT count() FROM cleaned.engagement_events) AS cleaned,
    (SELECT count() FROM star.fact_engagement) AS facts,
    (SELECT sum(events) FROM rollups.engagement_daily) AS rollup,
    (SELECT count() FROM star.dim_post) AS posts
"""


@pytest.fixture
def figures(capsys: pytest.CaptureFixture[str]):
    def read() -> dict[str, int]:
        capsys.readouterr()
        assert run("sql", FIGURES, "--format", "json") == 0
        (row,) = json.loads(capsys.readouterr().out)
        return row

    return read


def likes(folder: Path, *names: str) -> Path:
    file = folder / f"{'_'.join(names)}.ndjson"
    file.write_text("".join(LIKE.format(id=name, value=1) for name in names))
    return file


def all_of(number: int) -> dict[str, int]:
    return {"cleaned": number, "facts": number, "rollup": number, "posts": 1}


def test_dropped_tables_and_views_are_made_and_filled_again(
    home: Home, tmp_path: Path, figures
) -> None:
    assert run("load", "engagement_events", str(likes(tmp_path, "a", "b"))) == 0
    assert figures() == all_of(2)
    with ClickHouseResource().client() as client:
        client.command("DROP TABLE star.fact_engagement SYNC")
        client.command("DROP TABLE rollups.engagement_daily SYNC")
    assert run("deploy") == 0
    assert figures() == all_of(2)
    with ClickHouseResource().client() as client:
        client.command("DROP TABLE cleaned.engagement_events SYNC")
    assert run("load", "engagement_events", str(likes(tmp_path, "c"))) == 0
    assert figures() == all_of(3)
    with ClickHouseResource().client() as client:
        (view,) = client.query(
            "SELECT concat(database, '.', name) FROM system.tables"
            " WHERE engine = 'MaterializedView' AND name LIKE 'fact_engagement__from__%'"
        ).result_columns[0]
        client.command(f"DROP VIEW {view} SYNC")
    assert run("load", "engagement_events", str(likes(tmp_path, "d"))) == 0
    assert figures() == all_of(4)
    assert run("deploy") == 0
    assert figures() == all_of(4)


def test_a_backfill_of_one_day_finishes_the_other_days_of_a_lost_table(
    home: Home, tmp_path: Path, figures
) -> None:
    """Also a backfill of facts and rollups only, which would be empty after a rebuild from the
    new, empty table.
    """
    before = figures()["cleaned"]
    file = likes(tmp_path, "k", "l")
    file.write_text(file.read_text().replace("2026-11-01", "2026-11-02", 1))
    assert run("load", "engagement_events", str(file)) == 0
    with ClickHouseResource().client() as client:
        client.command("DROP TABLE cleaned.engagement_events SYNC")
    days = ("--from", "2026-11-02", "--to", "2026-11-02")
    assert run("backfill", *days, "star/fact_engagement") == 0
    assert figures() == all_of(before + 2)


def test_days_that_a_killed_rebuild_swapped_reach_facts_and_rollups_at_the_next_load(
    home: Home, tmp_path: Path, figures
) -> None:
    before = figures()["cleaned"]
    stores = StoresResource(clickhouse=ClickHouseResource()).stores()
    stream = stores.of(contract("engagement_events"), "killed")
    land_files(stream, [likes(tmp_path, "e", "f")])
    # Like a rebuild that is killed between its swap and dbt.
    rebuild(stream, [DAY])
    assert figures() == {**all_of(before), "cleaned": before + 2}
    assert run("load", "engagement_events", str(likes(tmp_path, "g"))) == 0
    assert figures() == all_of(before + 3)


def test_rows_that_a_killed_server_lost_are_there_after_the_next_load(
    home: Home, tmp_path: Path, figures
) -> None:
    """ClickHouse records the token of an insert before its part. If it is killed in between, it
    refuses the retry as a duplicate at that level of views. So the token does not prove that
    the batch is complete.
    """
    before = figures()["cleaned"]
    assert run("load", "engagement_events", str(likes(tmp_path, "h", "i"))) == 0
    tables = ("cleaned.engagement_events", "star.fact_engagement", "rollups.engagement_daily")
    parts = []
    with ClickHouseResource().client() as client:
        # As if the load had been killed with the server.
        client.command(
            "DELETE FROM cleaned.loaded_batches WHERE loaded_at = "
            "(SELECT max(loaded_at) FROM cleaned.loaded_batches)"
        )
        for table in tables:
            newest = client.query(
                "SELECT path FROM system.parts\n"
                "WHERE concat(database, '.', table) = {table:String} AND active\n"
                "ORDER BY modification_time DESC, max_block_number DESC LIMIT 1",
                parameters={"table": table},
            )
            parts.append(Path(newest.first_row[0]))
    os.kill(int(ServerFiles(home).server_lock.read_text()), signal.SIGKILL)
    for part in parts:
        shutil.rmtree(part)
    assert figures() != all_of(before + 2)
    assert run("load", "engagement_events", str(likes(tmp_path, "j"))) == 0
    assert figures() == all_of(before + 3)
