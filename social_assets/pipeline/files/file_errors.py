"""Tells the errors that a file causes from those that the machine causes.

Belongs here: only this decision. A file's error fails that file alone. An error of the machine (a
full or failing disk, no memory, too many open files, an interruption) would fail the next file too:
it fails the load, and the files stay where they are.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

from resources.settings.variables import ENGINE_MEMORY
from social_assets.ingest.records import FileError, is_of_the_machine, shown_path
from social_assets.pipeline.quarantined_batches import is_of_the_batch
from social_assets.transform.duckdb_engine import is_of_disk

_OF_THE_ENGINE = (
    duckdb.IOException,
    duckdb.FatalException,
    duckdb.InterruptException,
    duckdb.ConnectionException,
)
_MOST_CHARACTERS = 300


def check_name(path: Path) -> None:
    """Raise FileError for a path that cannot be stored with the records, nor named in a run."""
    if shown_path(path) != str(path):
        raise FileError(path, "its path is not UTF-8; rename it")


def blaming(path: Path, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The batches that are read from a file. Raises FileError for every error of reading it, but
    not for those of the machine.
    """
    try:
        yield from batches
    except FileError:
        raise
    except Exception as error:
        if _is_of_machine_or_engine(error):
            raise
        # Without its traceback, whose frames hold the records in the engine's memory.
        raise FileError(path, _reason(error, "it can't be read")) from error.with_traceback(None)


def of_validation(path: Path, error: Exception) -> FileError | None:
    """The error of a file whose records cannot be validated; None if the file is not the cause."""
    if isinstance(error, FileError):
        return error
    # The engine's memory is the machine's, except for one record that is too large for it.
    if not is_of_the_batch(error) or isinstance(error, duckdb.OutOfMemoryException):
        return None
    return FileError(path, _reason(error, "a record can't be validated"))


def _is_of_machine_or_engine(error: Exception) -> bool:
    if isinstance(error, duckdb.Error):
        return isinstance(error, _OF_THE_ENGINE) or is_of_disk(error)
    return is_of_the_machine(error)


def _reason(error: Exception, told: str) -> str:
    if isinstance(error, OSError) and error.errno:
        remedy = "; set its permissions or owner" if error.errno == errno.EACCES else ""
        return f"{told} ({error.strerror}){remedy}"
    first_line = (str(error).splitlines() or [""])[0] or type(error).__name__
    if isinstance(error, duckdb.OutOfMemoryException):
        told = f"the engine has no memory for one of its records ({first_line})"
        return f"{told}; raise {ENGINE_MEMORY}"
    return f"{told} ({first_line[:_MOST_CHARACTERS]}); nothing was loaded"
