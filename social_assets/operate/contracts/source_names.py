"""The names of the values in a file of which there is no contract yet.

Belongs here: the begin of a file, read without a contract: the header of CSV, the paths of a JSON
record, the schema of Parquet. Values are read with a contract, by `infer`.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from social_assets.contracts.csv_format import DELIMITERS, CsvDialect
from social_assets.ingest.files.detect_json import json_value
from social_assets.ingest.files.encodings import UTF8, encoding_of, without_bom
from social_assets.ingest.files.open_file import format_by_name
from social_assets.ingest.files.parquet_records import unreadable
from social_assets.ingest.files.text_records import head_of
from social_assets.ingest.records import FileError, is_of_the_machine

Kind = Literal["scalar", "list"]
Names = dict[str, Kind]
"""Where each value stands in a record: a name or a path; and whether it is a list of texts."""

_HEAD_BYTES = 8 << 20
_RECORDS = 200
_ASSIGNED = re.compile(r"^\s*[\w.$\[\]\"']+\s*=\s*(?=[\[{])")


def names_in(path: Path) -> Names:
    """Where the values of a file's records stand. Raises FileError if it has none."""
    form = format_by_name(path)
    if form == "parquet":
        return _of_parquet(path)
    head = head_of(path, _HEAD_BYTES)
    if not head.strip():
        raise FileError(path, "it is empty")
    marked, encoding = without_bom(head)
    text = marked.decode(encoding or encoding_of(marked), "replace")
    names = _of_csv(path, text) if form == "csv" else _of_json(text)
    if not names:
        raise FileError(path, "no records with names are found in it")
    return names


def _of_parquet(path: Path) -> Names:
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError) as error:
        if is_of_the_machine(error):
            raise
        raise unreadable(path, error) from error
    names: Names = {}
    for column in schema:
        if pa.types.is_list(column.type) and pa.types.is_string(column.type.value_type):
            names[column.name] = "list"
        elif not pa.types.is_nested(column.type):
            names[column.name] = "scalar"
    return names


def _of_csv(path: Path, text: str) -> Names:
    with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding=UTF8) as head:
        head.write(text[: text.rfind("\n") + 1] or text)
        head.flush()
        has_header, names = _sniffed(head.name, "")
        if len(names) < 2:
            # An odd line misleads the sniffer: the first line is read with each delimiter.
            first = text.lstrip().partition("\n")[0].rstrip("\r")
            names = max((CsvDialect(mark).fields(first) for mark in DELIMITERS), key=len)
            has_header = False
        elif not has_header:
            # Where all columns are texts, a header looks like a record.
            _, names = _sniffed(head.name, ", header = true")
        is_named = bool(names) and all(re.match(r"[^\W\d]", name) for name in names)
        if not has_header and not is_named:
            raise FileError(
                path,
                "it has no header row; write the contract by hand, with "
                "csv=CsvFormat(header=(...))",
                1,
            )
    return dict.fromkeys(names, "scalar")


def _sniffed(head: str, options: str) -> tuple[bool, list[str]]:
    query = f"SELECT HasHeader, Columns FROM sniff_csv(?, strict_mode = false{options})"
    try:
        with duckdb.connect() as connection:
            [(has_header, columns)] = connection.execute(query, [head]).fetchall()
    except duckdb.Error:
        return False, []  # not with these options
    return bool(has_header), [str(column["name"]) for column in columns]


def _of_json(text: str) -> Names:
    names: Names = {}
    for record in _records(text):
        for path, kind in _paths(record, ""):
            if names.get(path) != "list":
                names[path] = kind
    return names


def _records(text: str) -> list[dict[str, object]]:
    text = _ASSIGNED.sub("", text)
    lines = [
        json_value(line.strip()) for line in text.split("\n", _RECORDS)[:_RECORDS] if line.strip()
    ]
    objects = [line for line in lines if isinstance(line, dict)]
    if objects and len(objects) * 2 > len(lines):
        inner = [each for line in objects for each in _array(line)]
        return inner if len(inner) > len(objects) else objects
    whole = json_value(text.strip())
    return _array(whole)[:_RECORDS] or ([whole] if isinstance(whole, dict) else [])


def _array(value: object) -> list[dict[str, object]]:
    """The longest list of objects, at the top or within objects."""
    if isinstance(value, list):
        return [each for each in value if isinstance(each, dict)]
    if not isinstance(value, dict):
        return []
    return max((_array(inner) for inner in value.values()), key=len, default=[])


def _paths(record: dict[str, object], before: str) -> Iterator[tuple[str, Kind]]:
    for name, value in record.items():
        path = f"{before}{name}"
        if isinstance(value, dict):
            yield from _paths(value, f"{path}.")
        elif isinstance(value, list):
            if value and all(isinstance(each, str) for each in value):
                yield path, "list"
        else:
            yield path, "scalar"
