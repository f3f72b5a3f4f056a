"""What readers of files share: the Arrow layout of records, the place in a file, its error."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, field
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
    """How many bytes of a file have been read, as it is stored: all of them at its end.

    `notes` are what its reader has to say of the file (its dialect, columns that it does not read):
    sentences for the load's report.
    """

    bytes: int = 0
    notes: list[str] = field(default_factory=list)


_OF_THE_MACHINE = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ENOMEM, errno.EMFILE, errno.ENFILE),
    *(errno.ESTALE, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENOTCONN),
}
"""Errors of the operating system that other files would meet as well."""


def is_of_the_machine(error: Exception) -> bool:
    """Whether an error of reading a file has its cause in the machine and not in the file."""
    if isinstance(error, OSError):
        return error.errno in _OF_THE_MACHINE
    return isinstance(error, MemoryError)


def shown_path(path: Path) -> str:
    r"""A path as text that can be printed and stored: bytes that are not UTF-8 as `\xe9`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


class FileError(ValueError):
    """A file that cannot be loaded: names the file, the row where there is one, and the reason."""

    def __init__(self, path: Path, reason: str, row: int | None = None) -> None:
        shown = shown_path(path)
        place = shown if row is None else f"{shown}, row {row}"
        super().__init__(f"{place}: {reason}")
        self.path = path


class FileChangedError(FileError):
    """A file that was written to while it was read: nothing of it is loaded, and it is read again
    when it is at rest.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "it changed while it was read; nothing was loaded: load it again")
