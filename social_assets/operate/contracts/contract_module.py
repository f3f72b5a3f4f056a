"""The text of a contract's module, from what was inferred.

Belongs here: only the writing.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from social_assets.contracts.options.csv_format import CsvFormat

if TYPE_CHECKING:
    from social_assets.operate.contracts.infer import InferredColumn, InferredContract

RECORD_KEY = "record_key"


def contract_module(inferred: InferredContract) -> str:
    """The module, ready to be saved."""
    model = "".join(part.capitalize() for part in inferred.name.split("_")) + "Record"
    types = {column.type for column in inferred.columns}
    csv = _csv(inferred.csv)
    names = ", ".join(
        ["Contract", *(["CsvFormat"] if csv else []), *([] if inferred.key else ["HashOfRecord"])]
    )
    lines = [
        f'"""{inferred.name}: what its rows must be. Inferred from files; complete it."""',
        "",
        *(["from datetime import datetime", ""] if "datetime" in types else []),
        "import pandera.ibis as pa",
        "",
        f"from social_assets.contracts.contract import {names}",
        "",
        "",
        f"class {model}(pa.DataFrameModel):",
        f'    """One record of {inferred.name}."""',
        "",
    ]
    if not inferred.key:
        lines += [
            f"    {RECORD_KEY}: str = pa.Field(",
            '        metadata={"derive": HashOfRecord()}, description="Hash of the record"',
            "    )",
        ]
    for column in inferred.columns:
        lines += _column(column)
    key = inferred.key or RECORD_KEY
    time = f'    event_time="{inferred.event_time}",\n' if inferred.event_time else ""
    formats = ", ".join(f'"{each}"' for each in inferred.formats)
    lines += [
        "",
        "",
        "CONTRACT = Contract(",
        f'    name="{inferred.name}",',
        f"    model={model},",
        f'    key=("{key}",),',
        *([time.rstrip("\n")] if time else []),
        f"    formats=({formats},),",
        *([f"    csv=CsvFormat({csv}),"] if csv else []),
        *([f"    records_at={inferred.records_at!r},"] if inferred.records_at else []),
        '    owner="team:fill_in",',
        ")",
        "",
    ]
    return "\n".join(lines)


def _csv(declared: CsvFormat) -> str:
    """The arguments of the file's form that are declared."""
    values = {field.name: getattr(declared, field.name) for field in fields(declared)}
    return ", ".join(f"{name}={value!r}" for name, value in values.items() if value is not None)


def _column(column: InferredColumn) -> list[str]:
    options = ["nullable=True"] if column.is_nullable else []
    metadata = [f'"source": {column.source!r}'] if column.needs_source else []
    if column.time_formats:
        formats = ", ".join(f'"{each}"' for each in column.time_formats)
        metadata.append(f'"time_formats": [{formats}]')
    if metadata:
        options.append(f"metadata={{{', '.join(metadata)}}}")
    options.append('description="Fill in"')
    line = f"    {column.name}: {column.type} = pa.Field({', '.join(options)})"
    to_do = [f"    # {line}" for line in column.to_do]
    if len(line) <= 100:
        return [*to_do, line]
    return [
        *to_do,
        f"    {column.name}: {column.type} = pa.Field(",
        *(f"        {option}," for option in options),
        "    )",
    ]
