"""External data for a query: temporary tables that are filled from the request.

As in ClickHouse's documentation ("External data for query processing"), a part of a form has the
name of its table, and NAME_format, NAME_types and NAME_structure describe it. The data of
INSERT ... SELECT ... FROM input() uses the same tables, because chDB ignores such data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from resources.embedded_clickhouse.errors import ClickHouseError
from resources.embedded_clickhouse.query.engine import Connection
from resources.embedded_clickhouse.sql.insert_syntax import Insert
from resources.embedded_clickhouse.sql.scan import top_level_tokens

_LARGEST_IN_MEMORY = 32 * 1024**2
_FORMAT, _TYPES, _STRUCTURE = "_format", "_types", "_structure"


@dataclass(frozen=True)
class ExternalTable:
    """A temporary table: columns as in CREATE TABLE, format and size of its data."""

    name: str
    structure: str
    format: str
    size: int

    @classmethod
    def described(cls, name: str, size: int, values: Mapping[str, str]) -> Self:
        """The table that the parameters of the request describe."""
        structure, types = values.get(name + _STRUCTURE), values.get(name + _TYPES)
        if structure is None and types is None:
            raise ClickHouseError(
                36,
                "BAD_ARGUMENTS",
                f"Neither structure nor types have been provided for external table {name}. Use "
                f"fields {name}{_STRUCTURE} or {name}{_TYPES} to do so",
            )
        return cls(
            name,
            _numbered(types or "") if structure is None else structure,
            values.get(name + _FORMAT, "TabSeparated"),
            size,
        )

    def fill(self, connection: Connection, path: str) -> None:
        """Create the table from the file at `path`; the engine keeps large data on disk."""
        is_large = self.size > _LARGEST_IN_MEMORY
        engine = "MergeTree ORDER BY tuple()" if is_large else "Memory"
        connection.run(
            f"CREATE TEMPORARY TABLE {self._quoted} ({self.structure}) ENGINE = {engine}"
        )
        try:
            if self.size:
                insert = Insert(f"INSERT INTO {self._quoted}".encode(), None, 0)
                connection.run(insert.from_file(path, self.format))
        except BaseException:
            self.drop(connection)
            raise

    def drop(self, connection: Connection) -> None:
        """Drop the table, which must not remain in the session after its query."""
        connection.run(f"DROP TEMPORARY TABLE {self._quoted}")

    @property
    def _quoted(self) -> str:
        escaped = self.name.replace("\\", "\\\\").replace("`", "\\`")
        return f"`{escaped}`"


def declared_tables(values: Mapping[str, str]) -> set[str]:
    """The names of the tables that NAME_types or NAME_structure describe."""
    return {
        name.removesuffix(suffix)
        for suffix in (_TYPES, _STRUCTURE)
        for name in values
        if name.endswith(suffix) and name != suffix
    }


def describing(names: Mapping[str, int]) -> set[str]:
    """The names of the parameters that describe these tables; they are not settings."""
    return {name + suffix for name in names for suffix in (_FORMAT, _TYPES, _STRUCTURE)}


def _numbered(types: str) -> str:
    """`UInt8, String` as columns `_1`, `_2`."""
    text = types.encode()
    commas = [token.start for token in top_level_tokens(text) if token.text == ","]
    starts, ends = [0, *(comma + 1 for comma in commas)], [*commas, len(text)]
    columns = (text[start:end].decode().strip() for start, end in zip(starts, ends, strict=True))
    return ", ".join(f"_{number} {kind}" for number, kind in enumerate(columns, 1))
