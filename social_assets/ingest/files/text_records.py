"""Opens a text file of a stream, CSV or JSON, plain or gzip, as batches of records.

Belongs here: the way from a file's bytes to records: what its begin tells (`detect_dialect`,
`detect_json`, `encodings`), then how its text is cut (`csv_records`, `json_documents`, `lines`).
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa

from social_assets.contracts.contract import Contract
from social_assets.ingest.files.csv_records import CsvRecords
from social_assets.ingest.files.detect_dialect import detect
from social_assets.ingest.files.detect_json import layout_of
from social_assets.ingest.files.encodings import UTF8, as_utf8, unmarked_encoding, without_bom
from social_assets.ingest.files.json_documents import document_batches
from social_assets.ingest.files.lines import BLOCK_BYTES, line_batches, without_lines
from social_assets.ingest.records import RECORDS, FileError, ReadPosition

_GZIP_MAGIC = b"\x1f\x8b"


def text_records(
    contract: Contract, path: Path, position: ReadPosition, *, is_csv: bool
) -> Iterator[pa.RecordBatch]:
    """The records of a file, in batches of bounded size; keeps `position` up to date.

    Raises FileError if the file is truncated or lacks a required column.
    """
    with _opened(path) as (raw, stream):
        blocks = iter(lambda: stream.read(BLOCK_BYTES), b"")
        try:
            head = next(blocks, b"")
            records = _csv if is_csv else _json
            for batch in records(contract, path, head, blocks, position) if head.strip() else ():
                position.bytes = raw.tell()
                yield batch
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise FileError(path, f"broken gzip ({error}); copy the file again") from error
        position.bytes = raw.tell()


def head_of(path: Path, size: int) -> bytes:
    """The first bytes of a text, decompressed."""
    with _opened(path) as (_, stream):
        return stream.read(size)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """A file as it is stored, and its text."""
    with ExitStack() as opened:
        raw = opened.enter_context(path.open("rb"))
        is_gzip = raw.read(2) == _GZIP_MAGIC
        raw.seek(0)
        yield raw, cast(BinaryIO, opened.enter_context(gzip.open(raw))) if is_gzip else raw


def _csv(
    contract: Contract, path: Path, head: bytes, blocks: Iterable[bytes], position: ReadPosition
) -> Iterator[pa.RecordBatch]:
    found = detect(contract, path, head)
    position.notes += found.notes
    dialect, most = found.dialect, contract.max_record_bytes
    text: Iterable[bytes] = chain([without_bom(head)[0]], blocks)
    if found.read_as:
        text = as_utf8(text, found.read_as)
    text = without_lines(text, found.skipped_lines)
    # With a delimiter of several characters there are no quotes, and a line is a record.
    splitter = CsvRecords(most, dialect.delimiter, dialect.quote) if dialect.has_quotes else None
    header = dialect.stored_header(found.header)
    rows = max(1, BLOCK_BYTES // max(1, len(header)))
    for records in line_batches(text, most, splitter, found.skipped_lines + 1):
        for start in range(0, records.num_rows, rows):
            few = records.slice(start, rows)
            repeated = pa.repeat(pa.scalar(header), few.num_rows)
            yield few.set_column(1, RECORDS.field("csv_header"), repeated)


def _json(
    contract: Contract, path: Path, head: bytes, blocks: Iterable[bytes], position: ReadPosition
) -> Iterator[pa.RecordBatch]:
    begin, encoding = without_bom(head)
    text: Iterable[bytes] = chain([begin], blocks)
    encoding = encoding or unmarked_encoding(begin)
    if encoding != UTF8:
        position.notes.append(f"encoding {encoding}")
        text = as_utf8(text, encoding)
        begin = next(iter(as_utf8([begin], encoding)))
    layout = layout_of(contract, begin)
    if layout is None:
        yield from line_batches(text, contract.max_record_bytes)
        return
    position.notes.append(f"a JSON document, {layout.told}")
    yield from document_batches(text, path, layout, contract.max_record_bytes)
