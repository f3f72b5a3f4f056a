"""Finds out what a contract should declare of the form of its files: dialect, place of records.

Belongs here: what all of the files have in common and the default has not. What is left out is
detected for each file, when it is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from social_assets.contracts.contract import Contract
from social_assets.contracts.options.csv_format import CsvDialect, CsvFormat, Decimal
from social_assets.ingest.files.detect_dialect import detect
from social_assets.ingest.files.detect_json import layout_of
from social_assets.ingest.files.encodings import UTF8, encoding_of, without_bom
from social_assets.ingest.files.json_documents import Layout
from social_assets.ingest.files.open_file import format_by_name
from social_assets.ingest.files.text_records import head_of
from social_assets.ingest.records import FileError

_HEAD_BYTES = 4 << 20
_COMMA = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d+),\d+")
_CERTAIN = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+,\d+|\d+,(\d{1,2}|\d{4,}))")
"""Three digits after a comma can be thousands."""
_PLAIN = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d+)")


def csv_format(contract: Contract, files: Sequence[Path], decimal: Decimal | None) -> CsvFormat:
    """The parts of the dialect that all CSV files share and that are not the default."""
    found = [_dialect(contract, path) for path in files if format_by_name(path) == "csv"]
    usual = CsvDialect()

    def shared(values: set[str], default: str) -> str | None:
        return values.pop() if len(values) == 1 and values != {default} else None

    return CsvFormat(
        delimiter=shared({dialect.delimiter for dialect, _ in found}, usual.delimiter),
        quote=shared({dialect.quote for dialect, _ in found}, usual.quote),
        encoding=shared({encoding for _, encoding in found}, UTF8),
        decimal=decimal if found else None,
        header=contract.csv.header,
    )


def _dialect(contract: Contract, path: Path) -> tuple[CsvDialect, str]:
    head = head_of(path, _HEAD_BYTES)
    text, marked = without_bom(head)
    # A mark at the file's begin tells the encoding with certainty.
    return detect(contract, path, head).dialect, UTF8 if marked else encoding_of(text)


def records_at(contract: Contract, files: Sequence[Path]) -> str | None:
    """The path of the array of records if all JSON files have the same one within objects."""
    documents = [path for path in files if format_by_name(path) == "ndjson"]
    layouts = {_layout(contract, path) for path in documents}
    layout = layouts.pop() if len(layouts) == 1 else None
    if layout is None or len(layout.path) < 2 or Layout.of(str(layout)) != layout:
        return None
    return str(layout)


def _layout(contract: Contract, path: Path) -> Layout | None:
    text, encoding = without_bom(head_of(path, _HEAD_BYTES))
    if encoding not in (None, UTF8):
        text = text.decode(encoding or UTF8, "replace").encode()
    return layout_of(contract, text)


def decimal_of(columns: Sequence[Sequence[str]]) -> Decimal | None:
    """A comma if the values of a column are numbers with a decimal comma, and no column has a
    point.
    """
    has_comma = any(
        any(map(_CERTAIN.fullmatch, texts))
        and all(_COMMA.fullmatch(text) or _PLAIN.fullmatch(text) for text in texts)
        for texts in columns
    )
    has_point = any(
        texts and all(re.fullmatch(r"[+-]?\d+\.\d{1,2}", text) for text in texts)
        for texts in columns
    )
    return "," if has_comma and not has_point else None


def with_point(text: str) -> str:
    """A number with a decimal comma, as one with a point; other texts as they are."""
    if _COMMA.fullmatch(text) or _PLAIN.fullmatch(text):
        return text.replace(".", "").replace(",", ".")
    return text


def declared_at_first(files: Sequence[Path], formats: Sequence[CsvFormat]) -> CsvFormat:
    """What must be declared for the files to be read at all: that of files without a header row.

    Raises FileError if only some of the files have one, or if they have other columns.
    """
    first, *others = formats
    for path, other in zip(files[1:], others, strict=True):
        if other != first:
            raise FileError(
                path,
                f"it and {files[0].name} have no header row alike, or have different columns; "
                "infer a contract from each",
            )
    return first
