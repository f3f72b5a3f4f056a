"""ClickHouse's own framing of compressed data: `compress=1` and `decompress=1`.

A block is a checksum (CityHash128 of version 1.0.2, 16 bytes) over what follows: the method
(1 byte), the size of header and compressed data together, the size of the data (4 bytes each),
and the compressed data. JDBC and Go drivers speak it by default.
"""

from __future__ import annotations

import io
import struct
import sys
from collections.abc import Callable, Iterator
from typing import IO

import lz4.block
from clickhouse_cityhash.cityhash import CityHash128

from resources.embedded_clickhouse.errors import ClickHouseError
from resources.embedded_clickhouse.http.encoding import Encoder

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_CHECKSUM_BYTES = 16
_HEADER = struct.Struct("<BII")
_NONE, _LZ4, _ZSTD = 0x02, 0x82, 0x90
_METHODS = {"NONE": _NONE, "LZ4": _LZ4, "LZ4HC": _LZ4, "ZSTD": _ZSTD}
_WRITTEN_BYTES = 1 << 20
_LARGEST_BLOCK = 256 << 20
_LOW_HALF = (1 << 64) - 1


class BlockEncoder:
    """Frames a result into blocks, and applies another encoding to the blocks."""

    def __init__(self, method: str, outer: Encoder) -> None:
        self.name = outer.name
        self._outer = outer
        self._method = _METHODS.get(method.upper(), _LZ4)

    def encode(self, part: bytes) -> bytes:
        """A part as it goes over the wire; the client can decode all of it."""
        return self._outer.encode(framed(part, self._method))

    def finish(self) -> bytes:
        """The end of the outer encoding; blocks need no end mark."""
        return self._outer.finish()


class BlockReader(io.RawIOBase):
    """Decodes blocks of a file, one at a time. Raises ClickHouseError for a damaged block."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._block = memoryview(b"")

    def readable(self) -> bool:
        """True: the stream can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read the next bytes into the buffer; returns 0 at the end of the file."""
        while not self._block:
            block = self._next_block()
            if block is None:
                return 0
            self._block = memoryview(block)
        size = min(len(buffer), len(self._block))
        buffer[:size] = self._block[:size]
        self._block = self._block[size:]
        return size

    def _next_block(self) -> bytes | None:
        checksum = self._exactly(_CHECKSUM_BYTES, at_end=True)
        if not checksum:
            return None
        header = self._exactly(_HEADER.size)
        method, compressed_size, size = _HEADER.unpack(header)
        if not _HEADER.size <= compressed_size <= _LARGEST_BLOCK or size > _LARGEST_BLOCK:
            raise ClickHouseError(
                12,
                "PARAMETER_OUT_OF_BOUND",
                f"a compressed block of the request body claims {compressed_size} bytes and "
                f"{size} decompressed, where {_LARGEST_BLOCK} are allowed; is it ClickHouse's "
                "block framing?",
            )
        data = self._exactly(compressed_size - _HEADER.size)
        if _checksum(header + data) != checksum:
            raise ClickHouseError(
                40,
                "CHECKSUM_DOESNT_MATCH",
                "Checksum doesn't match: a compressed block of the request body is corrupted, or "
                "is not in ClickHouse's block framing; nothing was inserted from it",
            )
        return _decompressed(method, data, size)

    def _exactly(self, size: int, *, at_end: bool = False) -> bytes:
        parts: list[bytes] = []
        missing = size
        while missing:
            part = self._file.read(missing)
            if not part:
                break
            parts.append(part)
            missing -= len(part)
        if missing and not (at_end and missing == size):
            raise ClickHouseError(
                33,
                "CANNOT_READ_ALL_DATA",
                "the request body ends within a compressed block; nothing was inserted from it",
            )
        return b"".join(parts)


def framed(part: bytes, method: int = _LZ4) -> bytes:
    """Divide a part into blocks of up to a megabyte."""
    return b"".join(_blocks(memoryview(part), method))


def _blocks(part: memoryview, method: int) -> Iterator[bytes]:
    compress = _COMPRESSORS[method]
    for start in range(0, len(part), _WRITTEN_BYTES):
        piece = part[start : start + _WRITTEN_BYTES]
        data = compress(piece)
        block = _HEADER.pack(method, _HEADER.size + len(data), len(piece)) + data
        yield _checksum(block)
        yield block


def _lz4(data: memoryview) -> bytes:
    return bytes(lz4.block.compress(data, store_size=False))


def _zstd(data: memoryview) -> bytes:
    return zstd.compress(data, level=1)


_COMPRESSORS: dict[int, Callable[[memoryview], bytes]] = {_NONE: bytes, _LZ4: _lz4, _ZSTD: _zstd}


def _decompressed(method: int, data: bytes, size: int) -> bytes:
    try:
        if method == _LZ4:
            whole = bytes(lz4.block.decompress(data, uncompressed_size=size))
        elif method == _ZSTD:
            whole = zstd.ZstdDecompressor().decompress(data, max_length=size + 1)
        elif method == _NONE:
            whole = data
        else:
            raise ClickHouseError(
                89,
                "UNKNOWN_COMPRESSION_METHOD",
                f"Unknown compression method {method:#x} of a block; LZ4 (0x82), ZSTD (0x90) and "
                "NONE (0x02) are read here",
            )
    except (lz4.block.LZ4BlockError, zstd.ZstdError) as error:
        raise ClickHouseError(
            271, "CANNOT_DECOMPRESS", f"Cannot decompress a block of the request body: {error}"
        ) from error
    if len(whole) != size:
        raise ClickHouseError(
            271,
            "CANNOT_DECOMPRESS",
            f"Cannot decompress: a block claims {size} bytes and holds another number",
        )
    return whole


def _checksum(block: bytes) -> bytes:
    digest: int = CityHash128(block)
    return ((digest & _LOW_HALF) << 64 | digest >> 64).to_bytes(16, "little")
