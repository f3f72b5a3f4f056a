"""What a `cleaned.<stream>` table has otherwise than a contract wants, and altering it in place.

Belongs here: the columns and order of the table that exists, beside those of a contract. Rows are
the business of `loader`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from social_assets.contracts.contract import Contract
from social_assets.warehouse import ddl

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client


@dataclass(frozen=True)
class TableDifference:
    """What an existing table has otherwise.

    `missing` columns can be added and `altered` ones changed in place, since they only allow nulls
    or are encoded otherwise. If `is_other`, the table must be made anew.
    """

    missing: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()
    is_other: bool = False

    def __bool__(self) -> bool:
        return bool(self.missing or self.altered or self.is_other)


def table_difference(client: Client, contract: Contract, table: str) -> TableDifference:
    """What the table, which exists, has otherwise than the contract wants."""
    database, _, name = table.partition(".")
    columns = {
        str(column): (str(kind), bool(is_key))
        for column, kind, is_key in client.query(
            "SELECT name, type, is_in_sorting_key FROM system.columns\n"
            "WHERE database = {database:String} AND table = {table:String}",
            parameters={"database": database, "table": name},
        ).result_rows
    }
    wanted = ddl.column_types(contract)
    missing = tuple(column for column in wanted if column not in columns)
    differing = [
        column
        for column, kind in wanted.items()
        if column in columns and columns[column][0] != kind
    ]
    altered = tuple(c for c in differing if _is_looser(columns[c][0], wanted[c]))
    keys = {column for column, (_, is_key) in columns.items() if is_key}
    is_other = (
        bool(columns.keys() - wanted.keys())
        or len(altered) < len(differing)
        or keys != set(contract.key)
        or bool(keys.intersection(altered))
        or any(not _is_nullable(wanted[column]) for column in missing)
    )
    return TableDifference(missing, altered, is_other)


def alter_in_place(client: Client, contract: Contract, found: TableDifference) -> None:
    """Add the missing columns, and change those that can be changed in place."""
    if found.missing:
        client.command(ddl.add_columns(contract, found.missing))
    if found.altered:
        client.command(ddl.modify_columns(contract, found.altered), settings={"mutations_sync": 2})


_WRAPPED = re.compile(r"(Nullable|LowCardinality)\((.*)\)")


def _is_looser(has: str, wants: str) -> bool:
    """Whether each value of one type is one of the other: it only adds null, or encodes."""
    if _bare(has) != _bare(wants):
        return False
    return _is_nullable(wants) or not _is_nullable(has)


def _is_nullable(kind: str) -> bool:
    return "Nullable(" in kind or kind.startswith("Array(")


def _bare(kind: str) -> str:
    while found := _WRAPPED.fullmatch(kind):
        kind = found[2]
    return kind
