"""Arrays and ids on disk: reading executes no code, and the same data gives the same bytes.

Belongs here: `.npz` without pickle, ids in Parquet, folders that appear complete or not at all.
Does not belong here: names and meaning of the files of a matrix or an artifact.
"""

import io
import os
import shutil
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

ID_COLUMN = "id"
TIMES = "times"
"""The array with the time of each interaction, which older files do not have."""


class UnreadableFileError(ValueError):
    """A file does not have the expected content; the message has the file and the remedy."""


def npz_bytes(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The arrays as an uncompressed `.npz`; raises ValueError for arrays of Python objects."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def parse_npz(content: bytes, name: str, expected: Mapping[str, type]) -> dict[str, NDArray[Any]]:
    """The `expected` arrays (name to scalar type) of an `.npz`.

    Raises UnreadableFileError for anything else: no zip, pickled objects, absent arrays, other
    types.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            # np.load of a plain .npy gives an array, which is no context manager.
            arrays = {key: archive[key] for key in archive.files}
    except (ValueError, TypeError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise UnreadableFileError(
            f"{name} is no .npz of plain arrays ({error}): pickled or damaged files are refused;"
            " write it again"
        ) from error
    for key, scalar in expected.items():
        if key not in arrays or arrays[key].dtype != scalar:
            found = arrays[key].dtype if key in arrays else f"only {sorted(arrays)}"
            raise UnreadableFileError(
                f"{name} should hold {key} as {np.dtype(scalar)}, but has {found}: write it again"
            )
    return arrays


def times_among(
    arrays: Mapping[str, NDArray[Any]], name: str, count: int
) -> NDArray[np.int64] | None:
    """The times of `count` interactions among parsed arrays, None if there are none.

    Raises UnreadableFileError for another type or number.
    """
    if TIMES not in arrays:
        return None
    times = arrays[TIMES]
    if times.dtype != np.int64 or times.shape != (count,):
        raise UnreadableFileError(
            f"{name} should hold {count} {TIMES} as int64, but has {times.dtype}"
            f"{list(times.shape)}: write it again"
        )
    return times


def ids_bytes(ids: Any) -> bytes:
    """A pa.StringArray of ids as Parquet."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({ID_COLUMN: ids}), sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content


def parse_ids(content: bytes, name: str) -> Any:
    """The pa.StringArray written by `ids_bytes`.

    Raises UnreadableFileError if it is no such Parquet, or its ids are null, repeated or unsorted:
    ids are looked up by bisection.
    """
    try:
        column = pq.ParquetFile(pa.BufferReader(content)).read([ID_COLUMN])[ID_COLUMN]
        ids = pa.concat_arrays(column.cast(pa.string()).chunks or [pa.array([], pa.string())])
    except (pa.ArrowException, OSError, KeyError) as error:
        raise UnreadableFileError(
            f"{name} is no Parquet of ids ({error}): write it again"
        ) from error
    rising = pc.all(pc.greater(ids[1:], ids[:-1])).as_py() if len(ids) > 1 else True
    if ids.null_count or not rising:
        raise UnreadableFileError(f"{name} holds null, repeated or unsorted ids: write it again")
    return ids


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder to fill, that appears at `path` whole and on disk, or not at all.

    Filled beside its place as `.<name>.<random>.partial`, synced, then renamed. After a kill such
    a folder may be left behind; no reader looks at it and it can be deleted.

    Raises FileExistsError if `path` exists: written folders never change.
    """
    refusal = f"{path} exists already and is never overwritten: choose another name"
    if path.exists():
        raise FileExistsError(refusal)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.parent / f".{path.name}.{uuid.uuid4().hex}.partial"
    partial.mkdir()
    try:
        yield partial
        for file in partial.iterdir():
            sync(file)
        sync(partial)
        try:
            partial.rename(path)
        except OSError as error:
            # Another writer has created the folder: a rename onto a folder with files fails.
            if path.exists():
                raise FileExistsError(refusal) from error
            raise
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    sync(path.parent)


def replace_text(path: Path, text: str) -> None:
    """Write a small text file. A reader sees either the old or the new text, never a part."""
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
    partial.write_text(text, encoding="utf-8")
    sync(partial)
    partial.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Write a file, or the names in a folder, from the caches of the system to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
