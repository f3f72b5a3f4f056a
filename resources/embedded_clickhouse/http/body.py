"""Bodies of requests and results, in memory or, if they are large, on disk.

The server receives the whole body of a request before the engine starts. So an insert whose client
ends half way never starts, and memory is bounded for a body of any size. A body on disk stays
compressed as it came. The data of an insert is decoded to its end into a second file before the
engine starts: a cut body is refused before any row is inserted. The files have no name, so the
kernel deletes them when the process ends for any reason. They grow only as long as the disk keeps
its reserve of free space.
"""

from __future__ import annotations

import gzip
import os
import sys
import tempfile
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import IO, cast

import lz4.frame

from resources.embedded_clickhouse.errors import ClickHouseError
from resources.embedded_clickhouse.query.engine import Outcome, ResultStream
from resources.embedded_clickhouse.query.room import Room, writes_to

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# A micro-batch fits in memory; several open bodies together must not fill the memory.
_FEW_BODIES = 8
_IN_MEMORY_BYTES_OF_FEW = 16 << 20
_IN_MEMORY_BYTES_OF_MANY = 1 << 20
_PART_BYTES = 1 << 20
_DECODING_ERRORS = (EOFError, OSError, RuntimeError, zlib.error, zstd.ZstdError)


class Body:
    """A received body. `read` decodes it: all frames or members, one after another.

    `at_once` is the number of open requests, including this one. `in_blocks`: the content is in
    ClickHouse's block framing.
    """

    def __init__(self, encoding: str, room: Room, at_once: int, *, in_blocks: bool = False) -> None:
        if encoding not in ("", "identity", "gzip", "lz4", "zstd"):
            raise ClickHouseError(
                48,
                "NOT_IMPLEMENTED",
                f"Content-Encoding {encoding!r} is not decoded here; send gzip, lz4 or zstd",
            )
        self._encoding = encoding
        self._in_blocks = in_blocks
        few = at_once <= _FEW_BODIES
        self._room = room
        self._in_memory_bytes = _IN_MEMORY_BYTES_OF_FEW if few else _IN_MEMORY_BYTES_OF_MANY
        self._file = _Spool(room, self._in_memory_bytes)
        self._reader: IO[bytes] | None = None

    async def receive(self, parts: AsyncIterator[bytes]) -> None:
        """Receive the whole body.

        A body for which the disk has no room is also read to its end, and dropped: a client sees
        the answer only after it has sent everything.
        """
        refusal: ClickHouseError | None = None
        async for part in parts:
            if refusal is None:
                try:
                    self._file.write(part)
                except ClickHouseError as error:
                    refusal = error
                    self._file.close()
        if refusal is not None:
            raise refusal

    def read(self, size: int) -> bytes:
        """Read `size` bytes, or fewer if the body ends earlier."""
        parts: list[bytes] = []
        while size > 0:
            part = self._read_some(size)
            if not part:
                break
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def rest(self) -> Iterator[bytes]:
        """The bytes that `read` has not returned yet, in parts."""
        while part := self._read_some(_PART_BYTES):
            yield part

    @contextmanager
    def rest_as_file(self, first: bytes) -> Iterator[DataFile]:
        """Write `first` and all unread bytes, decoded and checked, to a file; closes the body."""
        with self.parts_as_file(chain((first,), self.rest())) as data:
            self.close()
            yield data

    @contextmanager
    def parts_as_file(self, parts: Iterator[bytes]) -> Iterator[DataFile]:
        """Write parts of this body, such as a file of a form, to a file."""
        spool = _Spool(self._room, self._in_memory_bytes)
        try:
            for part in parts:
                spool.write(part)
            yield DataFile(spool)
        finally:
            spool.close()

    def rewind(self) -> None:
        """Start to read from the beginning again."""
        self._reader = None

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
        if not self._in_blocks:
            return self._open_encoded()
        # Here, since most requests have no use for it.
        from resources.embedded_clickhouse.http.blocks import BlockReader

        return cast("IO[bytes]", BlockReader(self._open_encoded()))

    def _open_encoded(self) -> IO[bytes]:
        file = self._file.rewound()
        if self._encoding == "gzip":
            return cast("IO[bytes]", gzip.GzipFile(fileobj=file, mode="rb"))
        if self._encoding == "lz4":
            return cast("IO[bytes]", lz4.frame.LZ4FrameFile(file))
        if self._encoding == "zstd":
            return cast("IO[bytes]", zstd.ZstdFile(file))
        return file


class DataFile:
    """The decoded data of an insert, at a path that only this process can open."""

    def __init__(self, spool: _Spool) -> None:
        self.path = f"/dev/fd/{spool.rewound().fileno()}"
        self.size = spool.size


class SpooledStream:
    """A result that is complete before its first part is sent (`wait_end_of_query`)."""

    def __init__(self, stream: ResultStream, room: Room) -> None:
        spool = _Spool(room, _IN_MEMORY_BYTES_OF_MANY)
        try:
            while part := stream.next_part():
                spool.write(part)
            self._file = spool.rewound()
        except BaseException:
            spool.close()
            raise
        self._outcome = stream.outcome()

    def outcome(self) -> Outcome:
        """What was read for the whole result."""
        return self._outcome

    def next_part(self) -> bytes:
        """The next megabyte; empty at the end."""
        return self._file.read(_PART_BYTES)

    def close(self) -> None:
        """Give back memory and disk."""
        self._file.close()


class _Spool:
    """Keeps few bytes in memory, and more in a file that has no name.

    The file is unbuffered, so that the write that meets a full disk raises the error.
    """

    def __init__(self, room: Room, in_memory_bytes: int) -> None:
        self._room = room
        self._in_memory_bytes = in_memory_bytes
        self._is_in_memory = hasattr(os, "memfd_create")
        self._size = 0
        self._file = (
            cast("IO[bytes]", os.fdopen(os.memfd_create("body"), "w+b", buffering=0))
            if self._is_in_memory
            else self._file_on_disk()
        )

    def write(self, part: bytes) -> None:
        """Append; raises NOT_ENOUGH_SPACE if the disk is full or below the reserve."""
        self._size += len(part)
        if self._size > self._in_memory_bytes:
            self._room.require_for_spool()
            if self._is_in_memory:
                self._move_to_disk()
        self._write(part)

    @property
    def size(self) -> int:
        """The number of bytes."""
        return self._size

    def rewound(self) -> IO[bytes]:
        """The file of the bytes, at its beginning."""
        self._file.seek(0)
        return self._file

    def close(self) -> None:
        """Give back memory and disk."""
        self._file.close()

    def _move_to_disk(self) -> None:
        in_memory, self._file = self.rewound(), self._file_on_disk()
        self._is_in_memory = False
        with in_memory:
            while part := in_memory.read(_PART_BYTES):
                self._write(part)

    def _write(self, part: bytes) -> None:
        rest = memoryview(part)
        with writes_to(self._room.spool):
            while rest:
                rest = rest[self._file.write(rest) :]

    def _file_on_disk(self) -> IO[bytes]:
        with writes_to(self._room.spool):
            # Not a context manager: it lives as long as the request.
            return cast("IO[bytes]", tempfile.TemporaryFile(buffering=0, dir=self._room.spool))
