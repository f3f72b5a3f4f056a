"""The names of the values in a file of which there is no contract yet.

Belongs here: the begin of a file, read without a contract: the header of CSV, the paths of a JSON
record, the schema of Parquet. Values are read with a contract, by `infer`.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from social_assets.contracts.options.csv_format import DELIMITERS, DETECTED, CsvDialect, CsvFormat
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
_HEADER_LINES = 30
"""A header stands in one of so many lines."""
_ASSIGNED = re.compile(r"^\s*[\w.$\[\]\"']+\s*=\s*(?=[\[{])")


@dataclass(frozen=True)
class Source:
    """What a file tells of its records: `csv` is declared for a file without a header row, whose
    columns have numbers for names.
    """

    names: Names
    csv: CsvFormat = DETECTED


def source_of(path: Path) -> Source:
    """Where the values of a file's records stand. Raises FileError if it has none."""
    form = format_by_name(path)
    if form == "parquet":
        return Source(_of_parquet(path))
    head = head_of(path, _HEAD_BYTES)
    if not head.strip():
        raise FileError(path, "it is empty")
    marked, encoding = without_bom(head)
    text = marked.decode(encoding or encoding_of(marked), "replace")
    source = _of_csv(text) if form == "csv" else Source(_of_json(text))
    if not source.names:
        raise FileError(path, "no records with names are found in it")
    return source


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


def _of_csv(text: str) -> Source:
    with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding=UTF8) as head:
        head.write(text[: text.rfind("\n") + 1] or text)
        head.flush()
        has_header, names, delimiter = _sniffed(head.name, "")
        if len(names) < 2:
            # An odd line misleads the sniffer: the first line is read with each delimiter.
            first = text.lstrip().partition("\n")[0].rstrip("\r")
            delimiter = max(DELIMITERS, key=lambda mark: len(CsvDialect(mark).fields(first)))
            names = CsvDialect(delimiter).fields(first)
            has_header = False
        elif not has_header:
            # Where all columns are texts, a header looks like a record.
            _, names, delimiter = _sniffed(head.name, ", header = true")
    names = _without_made_up(names, text, delimiter)
    are_words = [bool(re.match(r"[^\W\d]", name)) for name in names]
    if all(are_words) or (has_header and any(are_words)):
        return Source(dict.fromkeys(names, "scalar"))
    numbered = tuple(f"column_{number}" for number in range(1, len(names) + 1))
    csv = CsvFormat(delimiter=None if delimiter == "," else delimiter, header=numbered)
    return Source(dict.fromkeys(numbered, "scalar"), csv)


def _without_made_up(names: list[str], text: str, delimiter: str) -> list[str]:
    """The names without those that the sniffer makes up (`text_1`) for a repeated one: a reader of
    the file knows one column of a name.
    """
    dialect = CsvDialect(delimiter)
    lines = text.splitlines()[:_HEADER_LINES]
    written = {field.strip() for line in lines for field in dialect.fields(line)}
    return [
        name
        for name in names
        if name in written or re.sub(r"_\d+$", "", name) not in {*names} & written
    ]


def _sniffed(head: str, options: str) -> tuple[bool, list[str], str]:
    """Whether there is a header, the names of the columns, and the delimiter."""
    query = f"SELECT HasHeader, Columns, Delimiter FROM sniff_csv(?, strict_mode = false{options})"
    try:
        with duckdb.connect() as connection:
            [(has_header, columns, mark)] = connection.execute(query, [head]).fetchall()
    except duckdb.Error:
        return False, [], ","  # not with these options
    return bool(has_header), [str(column["name"]) for column in columns], str(mark)


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
