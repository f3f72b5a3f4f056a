"""The text of a contract's module, from what was inferred.

Belongs here: only the writing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from social_assets.operate.contracts.infer import InferredColumn, InferredContract

RECORD_KEY = "record_key"


def contract_module(inferred: InferredContract) -> str:
    """The module, ready to be saved."""
    model = "".join(part.capitalize() for part in inferred.name.split("_")) + "Record"
    types = {column.type for column in inferred.columns}
    names = "Contract" if inferred.key else "Contract, HashOfRecord"
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
        '    owner="team:fill_in",',
        ")",
        "",
    ]
    return "\n".join(lines)


def _column(column: InferredColumn) -> list[str]:
    options = ["nullable=True"] if column.is_nullable else []
    if column.needs_source:
        options.append(f'metadata={{"source": {column.source!r}}}')
    options.append('description="Fill in"')
    line = f"    {column.name}: {column.type} = pa.Field({', '.join(options)})"
    if len(line) <= 100:
        return [line]
    return [
        f"    {column.name}: {column.type} = pa.Field(",
        *(f"        {option}," for option in options),
        "    )",
    ]
