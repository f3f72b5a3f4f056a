"""How far each partition of a topic has been read.

Belongs here: the arithmetic of positions, for many messages at once. It does not know Kafka.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

_NOWHERE = -1


class Positions:
    """Partition -> the offset up to which all has been read."""

    def __init__(self) -> None:
        self._next = np.empty(0, np.int64)
        self._last = np.empty(0, np.int64)

    def __getitem__(self, partition: int) -> int:
        return int(self._next[partition])

    def offsets(self) -> dict[int, int]:
        """The positions of all partitions."""
        return {int(p): int(self._next[p]) for p in np.flatnonzero(self._next != _NOWHERE)}

    def jump(self, partition: int, offset: int) -> None:
        """Continue at this offset, before or after the current one."""
        missing = partition + 1 - len(self._next)
        if missing > 0:
            nowhere = np.full(missing, _NOWHERE, np.int64)
            self._next = np.concatenate([self._next, nowhere])
            self._last = np.concatenate([self._last, nowhere])
        self._next[partition] = offset
        self._last[partition] = _NOWHERE

    def advance(self, partitions: npt.NDArray[np.int32], offsets: npt.NDArray[np.int64]) -> None:
        """Move behind these messages. Raises ValueError if one is before the current position."""
        back = np.flatnonzero(offsets < self._next[partitions])
        if len(back):
            partition, offset = int(partitions[back[0]]), int(offsets[back[0]])
            raise ValueError(
                f"offset {offset} of partition {partition} came after {self[partition] - 1}"
            )
        np.maximum.at(self._next, partitions, offsets + 1)

    def reach_last(self, partition: int, offset: int) -> None:
        """Move to `offset`, the current end of a partition, whether or not records end there.

        Call this after adding the messages that came before it. It has no effect if newer messages
        are already behind it.
        """
        if offset >= self._next[partition]:
            self._next[partition] = self._last[partition] = offset

    def remaining(self, ends: Mapping[int, int]) -> int:
        """How many offsets remain from these positions to the given ends."""
        return sum(max(0, end - self[partition]) for partition, end in ends.items())

    def are_at_last(self, ends: Mapping[int, int]) -> bool:
        """Whether each partition before its end has reached the last offset that is
        readable now.
        """
        return all(
            self._last[partition] == self._next[partition]
            for partition, end in ends.items()
            if self._next[partition] < end
        )
