"""Bodies on disk: of requests, received whole before the engine sees them, and of results.

A body waits on disk once it is larger than memory should hold, still compressed as it
came. So an insert whose client dies half way never starts, and a body of any size
costs bounded memory. The file has no name: it goes with the process, however that ends.
"""

from __future__ import annotations

import gzip
import sys
import tempfile
import zlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import IO, cast

import lz4.frame

from resources.embedded_clickhouse.engine import Stream
from resources.embedded_clickhouse.errors import ClickHouseError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# A micro-batch, even a large one, should not touch the disk; many bodies at once should not
# fill the memory.
_FEW_BODIES = 8
_IN_MEMORY_BYTES_OF_FEW = 16 << 20
_IN_MEMORY_BYTES_OF_MANY = 1 << 20
_PART_BYTES = 1 << 20
_DECODING_ERRORS = (EOFError, OSError, RuntimeError, zlib.error, zstd.ZstdError)


class Body:
    """A received body. Reads decode it, all of its frames or members, one after another.

    `at_once` is how many requests are open, this one included.
    """

    def __init__(self, encoding: str, folder: Path, at_once: int) -> None:
        if encoding not in ("", "identity", "gzip", "lz4", "zstd"):
            raise ClickHouseError(
                48,
                "NOT_IMPLEMENTED",
                f"Content-Encoding {encoding!r} is not decoded here; send gzip, lz4 or zstd",
            )
        self._encoding = encoding
        few = at_once <= _FEW_BODIES
        self._file = _spool_file(
            folder, _IN_MEMORY_BYTES_OF_FEW if few else _IN_MEMORY_BYTES_OF_MANY
        )
        self._reader: IO[bytes] | None = None

    async def receive(self, parts: AsyncIterator[bytes]) -> None:
        """Take in the whole body as it comes."""
        async for part in parts:
            self._file.write(part)

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes unless the body ends before."""
        parts: list[bytes] = []
        while size > 0:
            part = self._read_some(size)
            if not part:
                break
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def rest(self) -> Iterator[bytes]:
        """What `read` has left, in parts."""
        while part := self._read_some(_PART_BYTES):
            yield part

    def close(self) -> None:
        """Give back memory and disk."""
        self._file.close()

    def _read_some(self, size: int) -> bytes:
        try:
            if self._reader is None:
                self._reader = self._open()
            return self._reader.read(size)
        except _DECODING_ERRORS as error:
            raise ClickHouseError(
                33,
                "CANNOT_READ_ALL_DATA",
                f"the request body is no whole {self._encoding} data ({error}); nothing was "
                "inserted from it",
            ) from error

    def _open(self) -> IO[bytes]:
        self._file.seek(0)
        if self._encoding == "gzip":
            return cast("IO[bytes]", gzip.GzipFile(fileobj=self._file, mode="rb"))
        if self._encoding == "lz4":
            return cast("IO[bytes]", lz4.frame.LZ4FrameFile(self._file))
        if self._encoding == "zstd":
            return cast("IO[bytes]", zstd.ZstdFile(self._file))
        return self._file


class SpooledStream:
    """A result drained to the end before its first part goes out (`wait_end_of_query`)."""

    def __init__(self, stream: Stream, folder: Path) -> None:
        self._file = _spool_file(folder, _IN_MEMORY_BYTES_OF_MANY)
        try:
            while part := stream.next_part():
                self._file.write(part)
        except BaseException:
            self._file.close()
            raise
        self._file.seek(0)

    def next_part(self) -> bytes:
        """The next megabyte; empty at the end."""
        return self._file.read(_PART_BYTES)

    def close(self) -> None:
        """Give back memory and disk."""
        self._file.close()


def _spool_file(folder: Path, in_memory_bytes: int) -> IO[bytes]:
    """In memory while small, then a file that has no name."""
    # Not a context manager: it lives as long as the request.
    file = tempfile.SpooledTemporaryFile(max_size=in_memory_bytes, dir=str(folder))  # noqa: SIM115
    return cast("IO[bytes]", file)
