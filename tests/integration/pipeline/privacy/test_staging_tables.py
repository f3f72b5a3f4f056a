"""Staging tables of killed runs, with rows of before, are gone when a person is forgotten."""

from __future__ import annotations

import threading
import time

from resources.clickhouse.resource import ClickHouseResource
from social_assets.pipeline.privacy.warehouse_rows import drop_staging_tables

KILLED = "privacy_staging.users__staging_01d84ade_14b8"
FILLED = "privacy_staging.users__staging_of_a_run"


def make(clickhouse: ClickHouseResource, *tables: str) -> None:
    with clickhouse.client() as client:
        client.command("CREATE DATABASE IF NOT EXISTS privacy_staging")
        for table in tables:
            client.command(f"CREATE TABLE {table} (user String) ENGINE MergeTree ORDER BY user")
            client.command(f"INSERT INTO {table} VALUES ('planted-person-7f3a9')")


def tables_left(clickhouse: ClickHouseResource) -> list[str]:
    with clickhouse.client() as client:
        rows = client.query(
            "SELECT concat(database, '.', name) FROM system.tables\n"
            "WHERE database = 'privacy_staging' ORDER BY name"
        ).result_rows
    return [table for (table,) in rows]


def test_what_a_killed_run_has_left_is_dropped_and_other_tables_stay(
    clickhouse: ClickHouseResource,
) -> None:
    make(clickhouse, KILLED, "privacy_staging.users")
    with clickhouse.client() as client:
        assert drop_staging_tables(client) == []
        assert tables_left(clickhouse) == ["privacy_staging.users"]
        client.command("DROP DATABASE privacy_staging SYNC")


def test_a_table_that_its_run_drops_in_time_is_left_to_it(clickhouse: ClickHouseResource) -> None:
    make(clickhouse, FILLED)

    def end() -> None:
        time.sleep(0.5)
        with clickhouse.client() as client:
            client.command(f"DROP TABLE {FILLED} SYNC")

    ending = threading.Thread(target=end)
    ending.start()
    with clickhouse.client() as client:
        assert drop_staging_tables(client) == []
    ending.join()
    with clickhouse.client() as client:
        client.command("DROP DATABASE privacy_staging SYNC")


def test_a_table_that_a_query_fills_is_named_and_stays(clickhouse: ClickHouseResource) -> None:
    make(clickhouse, FILLED)

    def fill() -> None:
        with clickhouse.client() as client:
            client.command(
                f"INSERT INTO {FILLED} SELECT toString(sleepEachRow(1)) FROM numbers(40)\n"
                "SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0"
            )

    filling = threading.Thread(target=fill)
    filling.start()
    with clickhouse.client() as client:
        (left,) = drop_staging_tables(client)
        assert FILLED in left.place and "wait until the run has ended" in left.remedy
        assert tables_left(clickhouse) == [FILLED]
    filling.join()
    with clickhouse.client() as client:
        client.command("DROP DATABASE privacy_staging SYNC")
