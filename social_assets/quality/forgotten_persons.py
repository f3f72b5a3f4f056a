"""Looks for persons who are forgotten in the tables of the warehouse, by the hash of their ids.

Belongs here: the comparison of each column that can hold the id of a person. The ids themselves are
known to nobody any more.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from social_assets.lake.privacy.forgotten_persons import ANY_PLATFORM, ForgottenPerson
from social_assets.pipeline.privacy.forgotten_records import PLATFORM
from social_assets.pipeline.privacy.warehouse_rows import text_columns

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client


@dataclass(frozen=True, order=True)
class KeptPersons:
    """How many persons who are forgotten a column of a table has."""

    table: str
    column: str
    persons: int


def kept_persons(
    client: Client, forgotten: Collection[ForgottenPerson], salt: str, columns: Collection[str]
) -> list[KeptPersons]:
    """The columns of these names, in any table, that have a forgotten person; none if it is well.

    A table without a column of platforms is compared with the ids of all platforms alone.
    """
    found = []
    by_platform = _by_platform(forgotten)
    for table, names in text_columns(client).items():
        for column in sorted(set(names) & set(columns)):
            persons = 0
            for platform, hashes in by_platform.items():
                if platform == ANY_PLATFORM or PLATFORM in names:
                    parameters = {"salt": salt, "hashes": hashes, "platform": platform}
                    query = _query(table, column, is_of_platform=platform != ANY_PLATFORM)
                    persons += client.query(query, parameters=parameters).result_rows[0][0]
            found += [KeptPersons(table, column, persons)] if persons else []
    return sorted(found)


def _query(table: str, column: str, *, is_of_platform: bool) -> str:
    where = f"WHERE {PLATFORM} = {{platform:String}}\n" if is_of_platform else ""
    return (
        "SELECT count() FROM (\n"
        f"  SELECT toString({column}) AS id FROM {table}\n{where}GROUP BY id)\n"
        "WHERE lower(hex(SHA256(concat({salt:String}, ':', id)))) IN {hashes:Array(String)}"
    )


def _by_platform(forgotten: Collection[ForgottenPerson]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in sorted(forgotten):
        found.setdefault(each.platform, []).append(each.person_hash)
    return found
