"""The content of a file as the blocks in which it is read."""

from __future__ import annotations


def blocks_of(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]
