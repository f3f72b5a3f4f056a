"""Dictionaries read tables of the same server with the user and password in their source."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from resources.embedded_clickhouse.lifecycle import Endpoint
from resources.settings.home import Home

MakeTable = Callable[..., str]


def _dictionary(source: str, password: str) -> str:
    """DDL in the form of dbt-clickhouse, from its profile."""
    return (
        f"CREATE OR REPLACE DICTIONARY {source}_dictionary (a UInt64, b String) PRIMARY KEY a "
        f"SOURCE(CLICKHOUSE(user 'default' password '{password}' table '{source}')) "
        "LAYOUT(HASHED()) LIFETIME(0)"
    )


@pytest.fixture
def source(client: Client, table: MakeTable) -> str:
    name = table("a UInt64, b String")
    client.command(f"INSERT INTO {name} VALUES (1, 'one'), (2, 'two')")
    return name


def test_a_dictionary_with_the_password_of_the_home_is_filled(
    client: Client, endpoint: Endpoint, source: str
) -> None:
    client.command(_dictionary(source, endpoint.password))
    found = client.query(f"SELECT dictGet('{source}_dictionary', 'b', toUInt64(2))")
    assert found.result_rows == [("two",)]


def test_a_dictionary_with_another_password_is_refused(client: Client, source: str) -> None:
    client.command(_dictionary(source, "wrong"))
    with pytest.raises(DatabaseError, match="Authentication failed"):
        client.query(f"SELECT dictGet('{source}_dictionary', 'b', toUInt64(2))")


def test_the_file_that_tells_the_engine_the_password_is_for_its_owner_and_does_not_hold_it(
    endpoint: Endpoint, home: Home
) -> None:
    file = home.clickhouse / "engine.xml"
    assert file.stat().st_mode & 0o777 == 0o600
    assert endpoint.password not in file.read_text()
