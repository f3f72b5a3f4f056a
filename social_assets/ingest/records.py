"""What readers of files share: the Arrow layout of records, the place in a file, its error."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass
class ReadPosition:
    """How many bytes of a file have been read, as it is stored: all of them at its end."""

    bytes: int = 0


class FileError(ValueError):
    """A file that cannot be loaded: names the file, the row where there is one, and the reason."""

    def __init__(self, path: Path, reason: str, row: int | None = None) -> None:
        place = f"{path}" if row is None else f"{path}, row {row}"
        super().__init__(f"{place}: {reason}")
        self.path = path
