"""How far each partition of a topic has been read.

Belongs here: the arithmetic of positions, for many messages at once. No Kafka.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]

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

    def advance(
        self,
        partitions: npt.NDArray[np.int32],
        offsets: npt.NDArray[np.int64],
        ends: Mapping[int, int],
    ) -> tuple[Mask, Mask]:
        """Which messages lie inside the range asked for, and which beyond it; moves on.

        Messages of a partition come in order. Any that were there already are neither. Where one
        lies beyond its end, all before that end has been read, records or not.
        """
        limits = self._limits(ends)
        new = offsets >= self._next[partitions]
        inside = new & (offsets < limits[partitions])
        beyond = new & ~inside
        np.maximum.at(self._next, partitions[inside], offsets[inside] + 1)
        np.maximum.at(self._next, partitions[beyond], limits[partitions[beyond]])
        return inside, beyond

    def reach_last(self, partition: int, offset: int) -> None:
        """All there is to read of it now, records or not, ends before `offset`."""
        self._next[partition] = max(self._next[partition], offset)
        self._last[partition] = self._next[partition]

    def remaining(self, ends: Mapping[int, int]) -> int:
        """How many offsets lie between here and there."""
        return int(np.maximum(self._limits(ends) - self._next, 0).sum())

    def are_at_last(self, ends: Mapping[int, int]) -> bool:
        """Whether each partition that is short of its end has come to the last there is to read."""
        short = self._limits(ends) > self._next
        return bool(np.all(self._last[short] == self._next[short]))

    def _limits(self, ends: Mapping[int, int]) -> npt.NDArray[np.int64]:
        """Of a partition that nobody asks for: where it is."""
        limits = self._next.copy()
        for partition, end in ends.items():
            limits[partition] = max(end, limits[partition])
        return limits
