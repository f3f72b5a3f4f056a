"""The contract that a cleaned table without a recorded contract was made under, from its columns.

Belongs here: releases before the record of contracts left tables whose columns are known and whose
rules are not. The rules are taken to be today's where a column has today's type.
"""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from social_assets.contracts.changes.contract_text import with_columns
from social_assets.contracts.column import DEFAULTS, EVENT_TIME, Column, ColumnType
from social_assets.contracts.contract import Contract
from social_assets.lake.schemas import ARROW_TYPES, ELEMENT, PROVENANCE


def inferred_contract(declared: Contract, schema: pa.Schema) -> Contract:
    """The declared contract if the columns are as declared, else one with the table's columns."""
    own = {*PROVENANCE.names, "event_date"}
    if declared.explode is not None:
        own.add(ELEMENT.name)
    if EVENT_TIME.name not in declared.columns:
        own.add(EVENT_TIME.name)
    there = {field.name: field for field in schema if field.name not in own}
    before = [_column(there[name], c) for name, c in declared.columns.items() if name in there]
    before += [_column(f, None) for name, f in there.items() if name not in declared.columns]
    if tuple(before) == tuple(declared.columns.values()):
        return declared
    return with_columns(declared, tuple(before))


def _column(field: pa.Field, today: Column | None) -> Column:
    column_type = _type(field.type)
    default = None if field.nullable else DEFAULTS.get(column_type)
    if today is not None and today.type == column_type:
        if today.nullable == field.nullable:
            return today
        return replace(today, nullable=field.nullable, default=default)
    return Column(
        name=field.name,
        type=column_type,
        description=today.description if today else "",
        nullable=field.nullable,
        default=default,
        categorical=False,
        standardize=None,
        derive=today.derive if today else None,
        checks=(),
    )


def _type(found: pa.DataType) -> ColumnType:
    if pa.types.is_boolean(found):
        return "boolean"
    if pa.types.is_integer(found):
        return "integer"
    if pa.types.is_floating(found):
        return "number"
    if pa.types.is_timestamp(found):
        return "timestamp"
    if pa.types.is_list(found) or pa.types.is_large_list(found):
        return "strings"
    if pa.types.is_string(found) or pa.types.is_large_string(found):
        return "string"
    known = ", ".join(str(each) for each in ARROW_TYPES.values())
    raise TypeError(f"a cleaned table has a column of type {found}; this release knows {known}")
