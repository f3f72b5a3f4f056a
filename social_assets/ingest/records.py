"""The Arrow layout of records from files, and the error of a file that cannot be loaded."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

RECORDS = pa.schema(
    [
        pa.field("value", pa.binary()),
        pa.field("csv_header", pa.string()),
        pa.field("offset", pa.int64(), nullable=False),
    ]
)
"""One record: its bytes, the header line of its file (CSV), its number in the file from 1."""


class FileError(ValueError):
    """A file that cannot be loaded: names the file, the row where there is one, and the reason."""

    def __init__(self, path: Path, reason: str, row: int | None = None) -> None:
        place = f"{path}" if row is None else f"{path}, row {row}"
        super().__init__(f"{place}: {reason}")
        self.path = path
