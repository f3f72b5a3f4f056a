"""Prepares Arrow values for JSON, where DuckDB's `to_json` would lose some of them.

Belongs here: which types that concerns, and what their values become: bytes that are UTF-8 become
text (writers without the UTF8 mark), decimals become text with every digit, NaN becomes null
(pandas writes it for a missing number). Other types stay.
"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

RunQuery = Callable[[str, pa.Table], pa.Table]
"""Runs a query over a table named `block`."""


def ready_for_json(rows: pa.RecordBatch, run: RunQuery) -> pa.RecordBatch:
    """The rows, with columns replaced whose values `to_json` would change."""
    found = {
        number: expression
        for number, field in enumerate(rows.schema)
        if (expression := _expression(field.type, f"c{number}")) is not None
    }
    if not found:
        return rows
    # By number: DuckDB's names of columns do not differ in case.
    block = pa.table({f"c{number}": rows.column(number) for number in found})
    block = block.append_column("row", pa.array(range(rows.num_rows), pa.int64()))
    read = ", ".join(f"{expression} AS c{number}" for number, expression in found.items())
    answer = run(f"SELECT {read} FROM block ORDER BY row", block)
    columns = {n: answer[f"c{n}"].combine_chunks() for n in found}
    return pa.RecordBatch.from_arrays(
        [columns.get(n, rows.column(n)) for n in range(rows.num_columns)], names=rows.schema.names
    )


def _expression(kind: pa.DataType, value: str, depth: int = 0) -> str | None:  # noqa: PLR0911
    """The value of SQL that replaces a value of this type; None if it stays."""
    if pa.types.is_dictionary(kind):
        return _expression(kind.value_type, value, depth)
    if _is_binary(kind):
        return f"coalesce(try(decode({value})), {value}::VARCHAR)"
    if pa.types.is_decimal(kind):
        text = f"{value}::VARCHAR"
        return f"rtrim(rtrim({text}, '0'), '.')" if kind.scale > 0 else text
    if pa.types.is_float32(kind) or pa.types.is_float64(kind):
        return f"CASE WHEN NOT isnan({value}) THEN {value} END"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        element = f"e{depth}"
        inner = _expression(kind.value_type, element, depth + 1)
        return None if inner is None else f"list_transform({value}, lambda {element}: {inner})"
    if pa.types.is_struct(kind):
        return _of_struct(kind, value, depth)
    return None


def _of_struct(kind: pa.StructType, value: str, depth: int) -> str | None:
    fields = [kind.field(number) for number in range(kind.num_fields)]
    places = [f"struct_extract_at({value}, {number})" for number in range(1, len(fields) + 1)]
    inner = [_expression(f.type, place, depth) for f, place in zip(fields, places, strict=True)]
    names = [field.name for field in fields]
    if all(each is None for each in inner) or len({name.lower() for name in names}) < len(names):
        return None
    packed = ", ".join(
        f"{_quoted(name)} := {new or old}"
        for name, new, old in zip(names, inner, places, strict=True)
    )
    return f"CASE WHEN {value} IS NOT NULL THEN struct_pack({packed}) END"


def _is_binary(kind: pa.DataType) -> bool:
    known = (
        pa.types.is_binary,
        pa.types.is_large_binary,
        pa.types.is_fixed_size_binary,
        pa.types.is_binary_view,
    )
    return any(is_it(kind) for is_it in known)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
