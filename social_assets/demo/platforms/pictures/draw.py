"""Draws a small picture as PNG.

Belongs here: bytes of pictures. Where they are served belongs to `answer`.
"""

from __future__ import annotations

import hashlib
import struct
import zlib

_SIDE = 24


def png(of: str, *, noise_bytes: int = 0) -> bytes:
    """A picture of two colours, which depend on a text; larger by bytes that no viewer shows."""
    seed = hashlib.sha256(of.encode()).digest()
    colours = (seed[:3], seed[3:6])
    rows = b"".join(
        b"\0" + b"".join(colours[seed[6 + (x // 6 + y // 6 * 4)] & 1] for x in range(_SIDE))
        for y in range(_SIDE)
    )
    head = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 2, 0, 0, 0)
    noise = [_chunk(b"nOIS", bytes(noise_bytes))] if noise_bytes else []
    chunks = [_chunk(b"IHDR", head), *noise, _chunk(b"IDAT", zlib.compress(rows))]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + _chunk(b"IEND", b"")


def _chunk(name: bytes, content: bytes) -> bytes:
    check = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)
