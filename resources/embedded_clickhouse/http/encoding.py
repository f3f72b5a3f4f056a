"""Compression of responses: one frame over the whole body, flushed part by part."""

from __future__ import annotations

import sys
import zlib
from typing import Protocol

import lz4.frame

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


class Encoder(Protocol):
    """`name` is the Content-Encoding, empty for none."""

    name: str

    def encode(self, part: bytes) -> bytes:
        """A part as it goes over the wire; the client can decode all of it."""

    def finish(self) -> bytes:
        """What ends the frame."""


def encoder_for(accept_encoding: str) -> Encoder:
    """The first of zstd, lz4, gzip that the client accepts, in ClickHouse's order."""
    offers = accept_encoding.lower().split(",")
    accepted = {
        offer.split(";")[0].strip()
        for offer in offers
        if not offer.replace(" ", "").endswith("q=0")
    }
    for encoder in (_Zstd, _Lz4, _Gzip):
        if encoder.name in accepted:
            return encoder()
    return _Identity()


class _Identity:
    name = ""

    def encode(self, part: bytes) -> bytes:
        """A part as it goes over the wire; the client can decode all of it."""
        return part

    def finish(self) -> bytes:
        """What ends the frame."""
        return b""


class _Zstd:
    name = "zstd"

    def __init__(self) -> None:
        self._compressor = zstd.ZstdCompressor(level=1)

    def encode(self, part: bytes) -> bytes:
        """A part as it goes over the wire; the client can decode all of it."""
        return self._compressor.compress(part, zstd.ZstdCompressor.FLUSH_BLOCK)

    def finish(self) -> bytes:
        """What ends the frame."""
        return self._compressor.flush(zstd.ZstdCompressor.FLUSH_FRAME)


class _Lz4:
    name = "lz4"

    def __init__(self) -> None:
        self._compressor = lz4.frame.LZ4FrameCompressor(auto_flush=True)
        self._header: bytes = self._compressor.begin()

    def encode(self, part: bytes) -> bytes:
        """A part as it goes over the wire; the client can decode all of it."""
        header, self._header = self._header, b""
        return header + bytes(self._compressor.compress(part))

    def finish(self) -> bytes:
        """What ends the frame."""
        header, self._header = self._header, b""
        return header + bytes(self._compressor.flush())


class _Gzip:
    name = "gzip"

    def __init__(self) -> None:
        self._compressor = zlib.compressobj(level=1, wbits=31)

    def encode(self, part: bytes) -> bytes:
        """A part as it goes over the wire; the client can decode all of it."""
        return self._compressor.compress(part) + self._compressor.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        """What ends the frame."""
        return self._compressor.flush()
