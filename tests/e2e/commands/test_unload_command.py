"""`social-assets unload` and `load --replace`: a wrong load is undone in every table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from dagster import AssetKey

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.operate.runs.instance import open_instance
from social_assets.warehouse.pending_days import pending_days
from tests.e2e.commands.test_load_command import run

STREAM = "engagement_events"
TABLES = ("cleaned.engagement_events", "star.fact_engagement")
DAYS = ("2026-10-07", "2026-10-08")
ASSETS = ("raw/engagement_events", "cleaned/engagement_events", "star/fact_engagement")


def event(number: int, day: str, value: int) -> str:
    record = {
        "event_id": f"unload{number}",
        "event_time": f"{day}T10:00:00Z",
        "platform": "X",
        "account_id": 1,
        "post_id": "p",
        "user_id": "u",
        "metric_type": "like",
        "value": value,
    }
    return json.dumps(record) + "\n"


def values(table: str) -> list[tuple[str, int]]:
    """Day and value of the rows of this test's days."""
    with ClickHouseResource().client() as client:
        return [
            (str(day), value)
            for day, value in client.query(
                f"SELECT event_date, value FROM {table}\n"
                "WHERE event_date IN {days:Array(Date)} ORDER BY ALL",
                parameters={"days": list(DAYS)},
            ).result_rows
        ]


def materialized(home: Home, asset: str) -> set[str]:
    with open_instance(home) as instance:
        return instance.get_materialized_partitions(AssetKey.from_user_string(asset)) & {*DAYS}


@pytest.mark.endurance
def test_a_file_is_unloaded_from_every_table_and_can_be_loaded_and_replaced_again(
    capsys: pytest.CaptureFixture[str], home: Home, tmp_path: Path
) -> None:
    wrong, right = tmp_path / "wrong.ndjson", tmp_path / "right.ndjson"
    wrong.write_text(event(1, DAYS[0], 1) + event(2, DAYS[1], 2))
    right.write_text(event(1, DAYS[0], 7))
    assert run("load", STREAM, str(wrong), str(right)) == 0
    assert run("load", STREAM, str(wrong)) == 0
    told = capsys.readouterr().out
    assert "loaded before as wrong.ndjson on " in told
    assert "2 days of 2026-10-07 to 2026-10-08" in told
    for table in TABLES:
        assert values(table) == [(DAYS[0], 1), (DAYS[1], 2)]

    assert run("unload", STREAM, str(wrong), "--format", "json") == 0
    (unloaded,) = json.loads(capsys.readouterr().out)
    assert unloaded["records"] == 2
    for table in TABLES:
        assert values(table) == [(DAYS[0], 7)]
    for asset in ASSETS:
        assert materialized(home, asset) == {DAYS[0]}
    with ClickHouseResource().client() as client:
        assert pending_days(client) == []

    assert run("unload", STREAM, str(wrong)) == 0
    assert "was unloaded before" in capsys.readouterr().out
    assert run("unload", STREAM, "unknown.csv") == 2
    assert "no batch of the content of unknown.csv" in capsys.readouterr().err

    assert run("load", STREAM, str(wrong)) == 0
    wrong.write_text(event(2, DAYS[1], 3))
    assert run("load", STREAM, str(wrong), "--replace") == 0
    for table in TABLES:
        assert values(table) == [(DAYS[0], 7), (DAYS[1], 3)]
