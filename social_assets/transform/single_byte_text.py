"""Text of an encoding with one byte a character, as UTF-8: Windows-1252, Latin-1, KOI8-R ...

Belongs here: the conversion of many values at once. Which encoding a file has belongs to `ingest`.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def to_utf8(values: pa.BinaryArray, encoding: str) -> pa.BinaryArray:
    """Values without nulls, of a single-byte encoding, as UTF-8."""
    offsets = np.frombuffer(values.buffers()[1], np.int32)
    offsets = offsets[values.offset : values.offset + len(values) + 1]
    data = np.frombuffer(values.buffers()[2] or b"", np.uint8)[offsets[0] : offsets[-1]]
    points = _code_points(encoding)[data]
    widths = 1 + (points >= 0x80) + (points >= 0x800)
    ends = np.concatenate([[0], np.cumsum(widths)])
    moved = ends[offsets - offsets[0]].astype(np.int32)
    text = points.tobytes().decode("utf-32-le").encode()
    buffers = [None, pa.py_buffer(moved), pa.py_buffer(text)]
    return pa.BinaryArray.from_buffers(pa.binary(), len(values), buffers)


@cache
def _code_points(encoding: str) -> npt.NDArray[np.uint32]:
    """The character of each byte. A byte without one is the control character of its number, as
    browsers read it (https://encoding.spec.whatwg.org).
    """
    found = [bytes([b]).decode(encoding, "replace") for b in range(256)]
    points = [ord(c) if c != "\ufffd" else b for b, c in enumerate(found)]
    return np.array(points, "<u4")
