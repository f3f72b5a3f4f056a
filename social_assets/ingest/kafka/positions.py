"""How far each partition of a topic has been read.

Belongs here: the arithmetic of positions, for many messages at once. No Kafka.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

_NOWHERE = -1


class Positions:
    """Partition -> the offset before which all has been read."""

    def __init__(self) -> None:
        self._next = np.empty(0, np.int64)
        self._last = np.empty(0, np.int64)

    def __getitem__(self, partition: int) -> int:
        return int(self._next[partition])

    def offsets(self) -> dict[int, int]:
        """All of them."""
        return {int(p): int(self._next[p]) for p in np.flatnonzero(self._next != _NOWHERE)}

    def jump(self, partition: int, offset: int) -> None:
        """Go on at this offset, forward or back."""
        missing = partition + 1 - len(self._next)
        if missing > 0:
            nowhere = np.full(missing, _NOWHERE, np.int64)
            self._next = np.concatenate([self._next, nowhere])
            self._last = np.concatenate([self._last, nowhere])
        self._next[partition] = offset
        self._last[partition] = _NOWHERE

    def advance(self, partitions: npt.NDArray[np.int32], offsets: npt.NDArray[np.int64]) -> None:
        """Behind these messages. Raises ValueError if one lies before where its partition was."""
        back = np.flatnonzero(offsets < self._next[partitions])
        if len(back):
            partition, offset = int(partitions[back[0]]), int(offsets[back[0]])
            raise ValueError(
                f"offset {offset} of partition {partition} came after {self[partition] - 1}"
            )
        np.maximum.at(self._next, partitions, offsets + 1)

    def reach_last(self, partition: int, offset: int) -> None:
        """All there is to read of it now, records or not, ends before `offset`.

        To be told after the messages that came before; one that newer messages overtook is void.
        """
        if offset >= self._next[partition]:
            self._next[partition] = self._last[partition] = offset

    def remaining(self, ends: Mapping[int, int]) -> int:
        """How many offsets lie between here and there."""
        return sum(max(0, end - self[partition]) for partition, end in ends.items())

    def are_at_last(self, ends: Mapping[int, int]) -> bool:
        """Whether each partition that is short of its end has come to the last there is to read."""
        return all(
            self._last[partition] == self._next[partition]
            for partition, end in ends.items()
            if self._next[partition] < end
        )
