"""The arguments of `load`: files, folders, globs and standard input, resolved to a list of files.

Belongs here: which files are meant. Everything is resolved before a run starts, so that a mistyped
name causes no failed run. The content of a file belongs to the load.
"""

from __future__ import annotations

import glob
import gzip
import os
import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from resources.settings.home import Home
from social_assets.contracts.contract import Contract, FileFormat
from social_assets.ingest.files.detect_dialect import detect
from social_assets.ingest.files.open_file import file_format
from social_assets.ingest.records import FileError
from social_assets.pipeline.files.unfinished_files import is_unfinished

STANDARD_INPUT = "-"
SPOOL = "spool"
"""The home's folder for standard input, until it has landed."""

_HEAD_BYTES = 1 << 16
_CHUNK_BYTES = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"


class InputError(LookupError):
    """An argument of `load` names nothing that can be loaded."""


def resolve(contract: Contract, arguments: Sequence[str]) -> list[Path]:
    """The files that the arguments name, folders and globs sorted, each file once; standard input
    stands for itself. Raises InputError that lists everything that names nothing.
    """
    found: dict[Path, None] = {}
    wrong: list[str] = []
    for argument in arguments:
        try:
            files = _files(contract, argument)
            is_input = argument == STANDARD_INPUT
            found |= dict.fromkeys(f if is_input else f.absolute() for f in files)
        except InputError as error:
            wrong.append(str(error))
    if wrong:
        raise InputError("; ".join(wrong))
    return list(found)


def _files(contract: Contract, argument: str) -> list[Path]:
    path = Path(argument).expanduser()
    if argument == STANDARD_INPUT:
        return [path]
    if path.is_dir():
        return _of_folder(contract, path)
    if path.exists():
        return [path]
    if not glob.has_magic(argument):
        raise InputError(f"no such file: {argument}")
    matches = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 - absolute too
    if not matches:
        raise InputError(f"no file matches {argument}")
    files: list[Path] = []
    for match in map(Path, matches):
        files += list(_formatted(contract, match)) if match.is_dir() else [match]
    if not files:
        raise InputError(f"no file that {_formats(contract)} in what matches {argument}")
    return files


def _of_folder(contract: Contract, folder: Path) -> list[Path]:
    files = sorted(_formatted(contract, folder))
    if not files:
        raise InputError(f"folder {folder} holds no file that {_formats(contract)}")
    return files


def _formatted(contract: Contract, folder: Path) -> Iterator[Path]:
    """The files of the stream's formats below a folder, without hidden and unfinished ones."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            file = Path(place) / name
            if not is_unfinished(name) and file.is_file() and _is_formatted(contract, file):
                yield file


def _is_formatted(contract: Contract, file: Path) -> bool:
    try:
        file_format(contract, file)
    except FileError:
        return False
    return True


def _formats(contract: Contract) -> str:
    return f"{contract.name} takes ({', '.join(contract.formats)})"


def spool(home: Home, contract: Contract, stream: BinaryIO, form: FileFormat | None) -> Path:
    """Standard input as a file in the home, complete. Raises InputError if it is empty, or if its
    format was not named and can't be told.
    """
    head = stream.read(_HEAD_BYTES)
    if not head:
        raise InputError("standard input is empty")
    is_gzip = head.startswith(_GZIP_MAGIC)
    told = form or _format_of(contract, _plain(head) if is_gzip else head)
    if told not in contract.formats:
        raise InputError(f"{told} is no format that {_formats(contract)}")
    folder = home.path / SPOOL
    folder.mkdir(parents=True, exist_ok=True)
    name = f"stdin-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.{told}{'.gz' if is_gzip else ''}"
    part = folder / f"{name}.part"
    try:
        with part.open("wb") as file:
            file.write(head)
            while chunk := stream.read(_CHUNK_BYTES):
                file.write(chunk)
        return part.rename(folder / name)
    finally:
        part.unlink(missing_ok=True)


def _format_of(contract: Contract, head: bytes) -> FileFormat:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"PAR1"):
        return "parquet"
    if text.startswith((b"{", b"[")):
        return "ndjson"
    try:
        detect(contract, Path("-"), head)
    except FileError as error:
        told = f"{error}" if "csv" in contract.formats else "it does not begin with { or ["
        raise _unknown_format(contract, told) from error
    return "csv"


def _unknown_format(contract: Contract, told: str) -> InputError:
    return InputError(
        "the format of standard input can't be told from how it begins; name it with "
        f"--input-format {'|'.join(contract.formats)} ({told})"
    )


def _plain(head: bytes) -> bytes:
    """The start of a gzip's content, of which only the first bytes exist."""
    try:
        return zlib.decompressobj(wbits=31).decompress(head)
    except (zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"standard input is a broken gzip ({error})") from error
