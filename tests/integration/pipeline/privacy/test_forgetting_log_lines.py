"""Log lines with the id of a person who is forgotten are deleted, those of others stay."""

from __future__ import annotations

from datetime import UTC, datetime

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.contracts.registry import person_columns
from social_assets.control.privacy.person import Person
from social_assets.pipeline.logs.ship import Shipper
from social_assets.pipeline.privacy.home_files import overwrite_in_home, places_in_home
from social_assets.pipeline.privacy.log_lines import delete_log_lines
from social_assets.pipeline.privacy.person_ids import PersonIds
from social_assets.pipeline.privacy.warehouse_rows import places_in_warehouse
from social_assets.warehouse.logs.line import LogFilter, LogLine
from social_assets.warehouse.logs.lines import LogTable
from social_assets.warehouse.logs.table import DATABASE, LOGS

GONE = PersonIds(frozenset({Person("planted-person-7f3a9")}))
NOW = datetime.now(UTC)


def line(text: str, position: int, **fields: str) -> LogLine:
    return LogLine(NOW, "ERROR", "load", 1, "x", text, fields=fields, source="f", position=position)


def test_lines_with_the_id_are_deleted_and_a_repeated_batch_brings_none_back(
    clickhouse: ClickHouseResource,
) -> None:
    table = LogTable(clickhouse)
    table.prepare()
    given = [
        line("stays", 0),
        line("no user planted-person-7f3a9 here", 1),
        line("stays too", 2),
        line("by field", 3, user="planted-person-7f3a9"),
        line("another one: planted-person-7f3a95", 4),
    ]
    table.insert(given, "batch")
    kept = ["stays", "stays too", "another one: planted-person-7f3a95"]
    with clickhouse.client() as client:
        places = [each.place for each in places_in_warehouse(client, GONE, person_columns())]
        assert places == ["2 rows of `ops`.`logs`"]
        assert delete_log_lines(client, GONE) == 2
        assert delete_log_lines(client, GONE) == 0
        assert places_in_warehouse(client, GONE, person_columns()) == []
        mutations = client.query(
            f"SELECT count() FROM system.mutations WHERE database = '{DATABASE}'"
        )
        assert mutations.result_rows == [(0,)]
    # A shipper that was killed before repeats its batch, whose bytes are overwritten by now.
    stars = "*" * len("planted-person-7f3a9")
    table.complete([*given[:1], line(f"no user {stars} here", 1), given[2]], "batch")
    found = [each.text for each in table.find(LogFilter())]
    assert sorted(found) == sorted([*kept, f"no user {stars} here"])
    with clickhouse.client() as client:
        client.command(f"DROP TABLE {LOGS} SYNC")


def test_the_id_in_a_file_of_lines_is_overwritten_and_its_lines_are_shipped_so(
    clickhouse: ClickHouseResource,
) -> None:
    with clickhouse.client():
        home = Home.from_environment()
    lines = home.logs / "lines"
    lines.mkdir(parents=True, exist_ok=True)
    (lines / "1-load-2-3.jsonl").write_text('{"message": "user planted-person-7f3a9"}\n')
    assert overwrite_in_home(home, GONE) == 1
    assert places_in_home(home, GONE) == []
    Shipper(home, LogTable(clickhouse)).ship()
    found = [each.text for each in LogTable(clickhouse).find(LogFilter(process="load"))]
    assert found == ["user ********************"]
