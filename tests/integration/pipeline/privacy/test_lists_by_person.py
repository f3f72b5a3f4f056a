"""Rows of a list by person are deleted without a trace, also after a call that was killed."""

from __future__ import annotations

from datetime import UTC, datetime

from resources.clickhouse.resource import ClickHouseResource
from social_assets.control.privacy.person import hash_of
from social_assets.lake.privacy.forgotten_persons import ANY_PLATFORM, ForgottenPerson
from social_assets.quality.forgotten_persons import kept_persons
from social_assets.recommend.model_lists import DATABASE
from social_assets.recommend.top_n import TOP_N
from social_assets.warehouse.served.serving_tables import delete_rows


def test_rows_of_a_person_are_deleted_from_a_list_and_from_what_a_killed_call_left(
    clickhouse: ClickHouseResource,
) -> None:
    forgotten = [ForgottenPerson(hash_of("salt", "gone"), ANY_PLATFORM)]
    left_behind = f"{TOP_N.staging}deleting"
    with clickhouse.client() as client:
        client.command(f"CREATE DATABASE IF NOT EXISTS {DATABASE}")
        for name in (TOP_N.name, left_behind):
            client.command(TOP_N.create(name))
            rows = [
                (user, 1, "p1", 0.5, "als", "1", datetime.now(UTC), 0, 1, "")
                for user in ("gone", "stays")
            ]
            client.insert(name, rows, column_names=[column.name for column in TOP_N.columns])
        found = kept_persons(client, forgotten, "salt", ["user_id"])
        assert {(each.column, each.persons) for each in found} == {("user_id", 1)}
        assert len(found) == 2
        for _ in range(2):
            delete_rows(client, TOP_N, "user_id", ["gone"])
            users = client.query(f"SELECT user_id FROM {TOP_N.name}").result_rows
            assert users == [("stays",)]
        assert kept_persons(client, forgotten, "salt", ["user_id"]) == []
        mutations = client.query(
            f"SELECT count() FROM system.mutations WHERE database = '{DATABASE}'"
        )
        assert mutations.result_rows == [(0,)]
        client.command(f"DROP DATABASE {DATABASE} SYNC")
