"""The folder or bucket of a table as a file system of Arrow.

Belongs here: how the data files of a lake are opened, by writers, readers and maintenance. Commits
are made by Delta's library, which has a client of its own.

S3 is opened by Arrow's client: Delta's holds Python's lock while it waits for the network, so that
one slow answer stops every thread of the process. Other object stores are opened by Delta's.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from pyarrow.fs import FileInfo, FileSelector, FileSystem, FileType, LocalFileSystem, PyFileSystem

_ATTEMPTS = 6
"""A server that is gone is given up after some twenty seconds; ten attempts take 95."""
_CONNECT_SECONDS, _ANSWER_SECONDS = 10, 30
"""How long a connection, and a request without progress, may take; then it is tried again."""
_PARTITION = re.compile(r"([^/=]+)=[^/]*/")
_S3 = ("s3", "s3a")
_FILE = "filename"
_PART_BYTES = 8 << 20
_CUT = "Failed to flush response stream"


@dataclass(frozen=True)
class Storage:
    """A file system, and where in it the files of a table are."""

    files: FileSystem
    root: str

    @property
    def is_local(self) -> bool:
        """Whether folders must be created, which object stores do not have."""
        return isinstance(self.files, LocalFileSystem)

    def path(self, name: str) -> str:
        """A path within the table, in the form that `files` needs."""
        return f"{self.root}/{name}" if self.root else name


def storage_of(uri: str, options: Mapping[str, str]) -> Storage:
    """The storage of a table. `options` are those of Delta's library, which S3 does not need: its
    credentials are found as AWS's own tools find them.
    """
    if "://" not in uri:
        return Storage(LocalFileSystem(), uri)
    url = urlsplit(uri, allow_fragments=False)
    if url.scheme in _S3:
        environment = tuple((name, os.environ.get(name, "")) for name in _NAMES)
        return Storage(_s3(environment), f"{url.netloc}{url.path}".rstrip("/"))
    from deltalake.fs import DeltaStorageHandler

    return Storage(PyFileSystem(DeltaStorageHandler(uri, dict(options))), "")


def files_below(files: FileSystem, folder: str, *, recursive: bool = False) -> list[FileInfo]:
    """What a folder has; nothing if there is none. Raises OSError if its whole bucket is absent:
    the name of a bucket that is written wrongly would otherwise look like an empty one.
    """
    found: list[FileInfo] = files.get_file_info(
        FileSelector(folder, allow_not_found=True, recursive=recursive)
    )
    bucket = folder.partition("/")[0]
    if not found and files.type_name == "s3" and _is_absent(files, bucket):
        raise OSError(f"AWS Error NoSuchBucket: there is no bucket {bucket}")
    return found


def _is_absent(files: FileSystem, bucket: str) -> bool:
    try:
        return bool(files.get_file_info(bucket).type == FileType.NotFound)
    except OSError as error:
        # A policy may allow the folder alone, whose listing was just answered: the bucket is there.
        if "ACCESS_DENIED" in str(error):
            return False
        raise


def read_whole(files: FileSystem, path: str) -> bytes:
    """The content of a file that fits in memory."""
    for attempt in range(_ATTEMPTS):
        try:
            with files.open_input_stream(path) as stream:
                content: bytes = stream.read()
            return content
        except OSError as error:
            # Arrow's client does not repeat a request whose connection ends within the answer.
            if _CUT not in str(error) or attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("the last attempt returns or raises")


def copy_whole(files: FileSystem, path: str, to: Path) -> None:
    """Copy a file of any size to this machine's disk, and sync it."""
    with files.open_input_file(path) as source, to.open("wb") as target:
        size = source.size()
        while (at := target.tell()) < size:
            target.write(_part(source, at))
        target.flush()
        os.fsync(target.fileno())


def _part(source: pa.NativeFile, at: int) -> bytes:
    for attempt in range(_ATTEMPTS):
        try:
            part: bytes = source.read_at(_PART_BYTES, at)
        except OSError as error:
            if _CUT not in str(error) or attempt == _ATTEMPTS - 1:
                raise
        else:
            return part
    raise AssertionError("the last attempt returns or raises")


def remove_files(uri: str, options: Mapping[str, str]) -> None:
    """Delete all files of a table, if there are any. Killed, the next call completes it."""
    if "://" not in uri:
        if Path(uri).exists():
            shutil.rmtree(uri)
        return
    from deltalake.fs import DeltaStorageHandler

    # Arrow's client deletes what stands for folders as well, in any order, which stores refuse.
    files = PyFileSystem(DeltaStorageHandler(uri, dict(options)))
    for found in files_below(files, "", recursive=True):
        if found.is_file:
            files.delete_file(found.path)


def delta_options(root: str) -> Mapping[str, str]:
    """The options with which Delta's library opens the tables of a lake."""
    if urlsplit(root).scheme not in _S3:
        return {}
    # Without it, the library reads profiles and roles only where no endpoint is named.
    return {"AWS_FORCE_CREDENTIAL_LOAD": "true"}


def rows_with_files(
    files: Sequence[str], schema: pa.Schema, columns: Sequence[str]
) -> pa.RecordBatchReader:
    """Columns of such files, read once, with the URL of each row's file as `filename`."""
    dataset = dataset_of(files, schema)
    before = files[0].removesuffix(dataset.files[0])
    found = pa.schema([*(schema.field(name) for name in columns), pa.field(_FILE, pa.string())])

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in dataset.scanner([*columns, "__filename"]).to_batches():
            urls = pc.binary_join_element_wise(before, batch["__filename"], "")
            yield pa.record_batch([*(batch[name] for name in columns), urls], schema=found)

    return pa.RecordBatchReader.from_batches(found, batches())


def dataset_of(files: Sequence[str], schema: pa.Schema) -> ds.Dataset:
    """Some files of a table in an object store, by URL; a file that lacks a column has nulls.

    Not for rows of any width, which `row_groups` reads. DuckDB's extension for object stores is no
    alternative: a query would download it. A file system of Python, registered in DuckDB 2.0,
    crashes the process if two threads read.
    """
    url = urlsplit(files[0], allow_fragments=False)
    bucket = f"{url.scheme}://{url.netloc}"
    storage = storage_of(bucket, {})
    partitions = [name for name in _PARTITION.findall(files[0]) if name in schema.names]
    return ds.dataset(
        [storage.path(file.removeprefix(f"{bucket}/")) for file in files],
        schema=schema,
        filesystem=storage.files,
        format="parquet",
        partitioning=ds.partitioning(
            pa.schema([schema.field(name) for name in partitions]), flavor="hive"
        ),
    )


_NAMES = (
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONFIG_FILE",
)
"""What a client is made of; it is made again when one of them changes."""


@lru_cache(maxsize=8)
def _s3(environment: tuple[tuple[str, str], ...]) -> FileSystem:
    from pyarrow.fs import AwsStandardS3RetryStrategy, S3FileSystem

    named = dict(environment)
    endpoint = named["AWS_ENDPOINT_URL_S3"] or named["AWS_ENDPOINT_URL"]
    return S3FileSystem(
        region=named["AWS_REGION"] or named["AWS_DEFAULT_REGION"] or None,
        endpoint_override=endpoint or None,
        retry_strategy=AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
        connect_timeout=_CONNECT_SECONDS,
        request_timeout=_ANSWER_SECONDS,
    )
