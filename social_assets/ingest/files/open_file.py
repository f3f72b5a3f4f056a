"""Opens a file of a stream (CSV, NDJSON, gzip of either, or Parquet) as batches of records.

Belongs here: what is decided for the whole file: its format, its identity, whether its header or
schema fits the contract. A bad record is not an error here; a bad file is one (`FileError`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import get_args

import pyarrow as pa

from social_assets.contracts.column import HashOfRecord, match_key
from social_assets.contracts.contract import Contract, FileFormat
from social_assets.ingest.files.detect_dialect import absent_columns
from social_assets.ingest.files.explode_records import exploded
from social_assets.ingest.files.parquet_records import ToJson, parquet_records
from social_assets.ingest.files.text_records import text_records
from social_assets.ingest.records import FileError, ReadPosition, is_of_the_machine

_SUFFIXES: dict[str, FileFormat] = {
    ".csv": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "ndjson",
    ".js": "ndjson",
    ".tsv": "csv",
    ".txt": "csv",
    ".dat": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}

_NAMED_COLUMNS = 10
"""So many columns that a contract does not read are named; a file may have thousands."""


def content_hash(path: Path) -> str:
    """The identity of a file by its content, not its name: 32 hex digits of SHA-256.

    Raises FileError if there is no such file.
    """
    try:
        if path.is_dir():
            raise FileError(path, "it is a folder; give the files in it")
        if not path.is_file():
            told = "no regular file" if path.exists() or path.is_symlink() else "no such file"
            raise FileError(path, told)
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()[:32]
    except OSError as error:
        if is_of_the_machine(error):
            raise
        raise FileError(path, f"cannot be read ({error.strerror})") from error


def file_format(contract: Contract, path: Path) -> FileFormat:
    """The format by the file's name. Raises FileError if the contract does not accept it."""
    return format_by_name(path, contract.formats, contract.name)


def format_by_name(
    path: Path, formats: Collection[FileFormat] = get_args(FileFormat), taker: str = "the platform"
) -> FileFormat:
    """The format by a file's name. Raises FileError if it is none of `formats`."""
    suffixes = [s.lower() for s in path.suffixes]
    suffix = next((s for s in reversed(suffixes) if s != ".gz"), "")
    found = _SUFFIXES.get(suffix)
    if found is None or found not in formats:
        raise FileError(
            path,
            f"{suffix or 'a file without ending'} is no format of {taker}, "
            f"which takes {', '.join(formats)}",
        )
    return found


def read_records(
    contract: Contract, path: Path, to_json: ToJson, position: ReadPosition | None = None
) -> Iterator[pa.RecordBatch]:
    """The records of a file, in batches of bounded size; keeps `position` up to date.

    Raises FileError, with the file, the reason and the row if known, if the file does not have the
    format of its name, is truncated, or lacks a required column.
    """
    position = position or ReadPosition()
    records = _whole_records(contract, path, to_json, position)
    yield from exploded(records, contract.explode, position) if contract.explode else records


def _whole_records(
    contract: Contract, path: Path, to_json: ToJson, position: ReadPosition
) -> Iterator[pa.RecordBatch]:
    """The records as they stand in the file."""
    if file_format(contract, path) == "parquet":
        yield from parquet_records(
            path,
            to_json,
            position,
            contract.max_record_bytes,
            partial(_columns_to_read, contract, path, position),
        )
    else:
        is_csv = file_format(contract, path) == "csv"
        yield from text_records(contract, path, position, is_csv=is_csv)


def _columns_to_read(
    contract: Contract, path: Path, position: ReadPosition, names: Sequence[str]
) -> list[str]:
    """The columns of a Parquet file that the contract reads; the others are named in the notes.

    Raises FileError for a file without a required column.
    """
    if absent := absent_columns(contract, names, may_nest=True):
        told = f"it lacks {', '.join(absent)}, required by {contract.name}"
        raise FileError(path, told, row=1)
    if any(isinstance(column.derive, HashOfRecord) for column in contract.columns.values()):
        return list(names)  # the key is of the whole record
    read = set(contract.named_columns)
    read |= {match_key(p.steps[0]) for c in contract.read_columns for p in c.places}
    read |= {match_key(str(contract.explode.levels[0]))} if contract.explode else set()
    chosen = [name for name in names if match_key(name) in read]
    if unread := [name for name in names if match_key(name) not in read]:
        more = len(unread) - _NAMED_COLUMNS
        named = ", ".join(unread[:_NAMED_COLUMNS]) + (f" and {more:,} more" if more > 0 else "")
        position.notes.append(f"columns that {contract.name} does not read: {named}")
    return chosen
