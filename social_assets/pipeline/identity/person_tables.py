"""`star.dim_person` and `star.person_merges`: their columns, and how rows of them are replaced.

Belongs here: reading and writing the two tables and reading links. Which identities are one person
is computed in `transform.identity`. A table is replaced as a whole, so that readers see the old
rows or the new ones; rows that stay are copied within ClickHouse.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from social_assets.contracts.identity_links import CONTRACT
from social_assets.transform.identity.identities import SEPARATOR, parts_of
from social_assets.transform.identity.persons import Merges, Persons

if TYPE_CHECKING:
    import pyarrow as pa
    from clickhouse_connect.driver.client import Client

LINKS = f"cleaned.{CONTRACT.name}"
_CHUNK_ROWS = 250_000
_KEY = ("platform", "user_id")
_PLATFORM, _KEY_TYPE = "LowCardinality(String)", "FixedString(16)"


@dataclass(frozen=True)
class PersonColumn:
    """A column of a table of persons; `default` computes it from the columns before it."""

    name: str
    type: str
    meaning: str
    default: str = ""


@dataclass(frozen=True)
class PersonTable:
    """A table with one row an identity. `target` names the two columns of what it refers to."""

    name: str
    meaning: str
    columns: tuple[PersonColumn, ...]
    target: tuple[str, str]

    def create(self, name: str) -> str:
        """The DDL of a table of this shape."""
        columns = ",\n".join(
            f"  {c.name} {c.type}{f' DEFAULT {c.default}' if c.default else ''} "
            f"COMMENT '{c.meaning}'"
            for c in self.columns
        )
        return (
            f"CREATE TABLE IF NOT EXISTS {name} (\n{columns}\n)\n"
            f"ENGINE = MergeTree ORDER BY ({', '.join(_KEY)})\nCOMMENT '{self.meaning}'"
        )

    def staging(self, run: str) -> str:
        """Its staging table in a run; a deployment drops those of killed runs after a day."""
        return f"{self.name}__staging_{run.replace('-', '_')}"


def _key_of(platform: str, user_id: str) -> str:
    """The key of a person: of the platform's and the user's key in facts."""
    return f"MD5(concat(MD5(toString({platform})), MD5({user_id})))"


DIM_PERSON = PersonTable(
    "star.dim_person",
    "Persons: one row a linked identity. Each identity without a row is a person of its own",
    (
        PersonColumn("platform", _PLATFORM, "Platform of the identity"),
        PersonColumn("user_id", "String", "Its id there, of a user or an account"),
        PersonColumn(
            "person_platform", _PLATFORM, "Platform of the identity that names the person"
        ),
        PersonColumn("person_user_id", "String", "Id of the identity that names the person"),
        PersonColumn(
            "platform_key", _KEY_TYPE, "As platform_key of facts", "MD5(toString(platform))"
        ),
        PersonColumn("user_key", _KEY_TYPE, "As user_key or account_key of facts", "MD5(user_id)"),
        PersonColumn(
            "person_key", _KEY_TYPE, "The person", _key_of("person_platform", "person_user_id")
        ),
        PersonColumn(
            "person_key_hex", "String", "The person, for people", "lower(hex(person_key))"
        ),
    ),
    ("person_platform", "person_user_id"),
)

PERSON_MERGES = PersonTable(
    "star.person_merges",
    "Persons that have become a part of another one: one row a former person",
    (
        PersonColumn("platform", _PLATFORM, "Platform of the identity that named the person"),
        PersonColumn("user_id", "String", "Id of the identity that named the person"),
        PersonColumn("into_platform", _PLATFORM, "Platform of the identity that names the other"),
        PersonColumn("into_user_id", "String", "Id of the identity that names the other"),
        PersonColumn("merged_at", "DateTime64(6, 'UTC')", "When it was found"),
        PersonColumn("person_key", _KEY_TYPE, "The former person", _key_of(*_KEY)),
        PersonColumn(
            "into_person_key",
            _KEY_TYPE,
            "The person into which it was merged",
            _key_of("into_platform", "into_user_id"),
        ),
    ),
    ("into_platform", "into_user_id"),
)


@dataclass(frozen=True)
class Links:
    """The two ends of links, as texts of identities."""

    left: pa.ChunkedArray
    right: pa.ChunkedArray


@dataclass(frozen=True)
class RowChanges:
    """Identities whose rows are removed; and rows to add, with the identity that each refers to.

    An added row takes the place of the identity's old one. `constants` are columns with one value.
    """

    removed: pa.ChunkedArray
    identity: pa.ChunkedArray
    target: pa.ChunkedArray
    constants: Mapping[str, pa.Scalar] = field(default_factory=dict)


def create_tables(client: Client) -> None:
    """Make the tables unless they are there."""
    client.command("CREATE DATABASE IF NOT EXISTS star")
    for table in (DIM_PERSON, PERSON_MERGES):
        client.command(table.create(table.name))


def read_links(client: Client, after: datetime | None = None) -> Links:
    """All links, or those that landed after a time; each pair of identities once."""
    read = client.query_arrow(
        f"SELECT DISTINCT {_text('platform', 'user_id')} AS l,\n"
        f"  {_text('linked_platform', 'linked_user_id')} AS r\nFROM {_landed(after)}",
        parameters={"after": after},
        use_strings=True,
    )
    return Links(_texts(read, "l"), _texts(read, "r"))


def read_persons(client: Client, after: datetime | None = None) -> Persons:
    """`star.dim_person`, or only the persons whom links that landed after a time name."""
    where = "" if after is None else f"WHERE person_key IN ({_named(after)})"
    return Persons(*_read(client, DIM_PERSON, where, after))


def read_merges(client: Client, after: datetime | None = None) -> Merges:
    """`star.person_merges`, or only those into the persons whom such links name."""
    where = (
        ""
        if after is None
        else "WHERE person_key IN (SELECT MD5(concat(platform_key, user_key))\n"
        f"  FROM {DIM_PERSON.name} WHERE person_key IN ({_named(after)}))"
    )
    return Merges(*_read(client, PERSON_MERGES, where, after))


def count_persons(client: Client) -> tuple[int, int]:
    """The linked identities, and the persons that they are."""
    [(identities, persons)] = client.query(
        "SELECT count(), countIf(platform = person_platform AND user_id = person_user_id)\n"
        f"FROM {DIM_PERSON.name}"
    ).result_rows
    return int(identities), int(persons)


def replace_rows(client: Client, table: PersonTable, changes: RowChanges, run: str) -> None:
    """Change rows of a table in one step; nothing is done if no row differs."""
    import pyarrow as pa

    if len(changes.identity) == 0 and len(changes.removed) == 0:
        return
    staging = table.staging(run)
    columns = [*parts_of(changes.identity), *parts_of(changes.target)]
    added = pa.table(columns, [*_KEY, *table.target])
    for name, value in changes.constants.items():
        added = added.append_column(name, pa.repeat(value, len(added)))
    keys = [*changes.removed.chunks, *changes.identity.chunks]
    changed = pa.table([*parts_of(pa.chunked_array(keys, pa.large_string()))], [*_KEY])
    with _dropped(client, staging), _dropped(client, f"{staging}_keys"):
        client.command(table.create(staging))
        # The keys alone are kept: texts of millions of rows would not fit in memory.
        client.command(
            f"CREATE TABLE {staging}_keys (platform String EPHEMERAL, user_id String EPHEMERAL, "
            f"key {_KEY_TYPE} DEFAULT {_key_of(*_KEY)}) ENGINE = Memory"
        )
        _insert(client, f"{staging}_keys", changed)
        client.command(
            f"INSERT INTO {staging} SELECT * FROM {table.name}\n"
            f"WHERE {_key_of(*_KEY)} NOT IN (SELECT key FROM {staging}_keys)"
        )
        _insert(client, staging, added)
        client.command(f"EXCHANGE TABLES {staging} AND {table.name}")


def _insert(client: Client, table: str, rows: pa.Table) -> None:
    for first in range(0, len(rows), _CHUNK_ROWS):
        client.insert_arrow(table, rows.slice(first, _CHUNK_ROWS))


@contextmanager
def _dropped(client: Client, table: str) -> Iterator[None]:
    """Drop a table before and after the block."""
    client.command(f"DROP TABLE IF EXISTS {table} SYNC")
    try:
        yield
    finally:
        client.command(f"DROP TABLE IF EXISTS {table} SYNC")


def _read(
    client: Client, table: PersonTable, where: str, after: datetime | None
) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    read = client.query_arrow(
        f"SELECT {_text(*_KEY)} AS l, {_text(*table.target)} AS r FROM {table.name}\n{where}",
        parameters={"after": after},
        use_strings=True,
    )
    return _texts(read, "l"), _texts(read, "r")


def _landed(after: datetime | None) -> str:
    """The links that landed after the parameter `after`; all of them, if it is None."""
    where = "" if after is None else " WHERE ingested_at > {after:DateTime64(6, 'UTC')}"
    return f"{LINKS}{where}"


def _named(after: datetime) -> str:
    """The keys of persons whom the links name that landed after a time."""
    keys = ("platform", "user_id"), ("linked_platform", "linked_user_id")
    ends = " UNION DISTINCT ".join(f"SELECT {_key_of(*key)} FROM {_landed(after)}" for key in keys)
    return (
        f"SELECT person_key FROM {DIM_PERSON.name}\n"
        f"WHERE MD5(concat(platform_key, user_key)) IN ({ends})"
    )


def _text(platform: str, user_id: str) -> str:
    """The text of an identity, in SQL."""
    return f"concat(toString({platform}), char({ord(SEPARATOR)}), {user_id})"


def _texts(read: pa.Table, name: str) -> pa.ChunkedArray:
    import pyarrow as pa

    return read[name].cast(pa.large_string())
