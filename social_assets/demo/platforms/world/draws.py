"""Numbers that depend on the seed and a name alone.

Belongs here: deterministic draws. What they are drawn for belongs to the modules that use them.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from math import log
from typing import TypeVar

T = TypeVar("T")

_MASK = (1 << 64) - 1
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class Draws:
    """A sequence of draws (splitmix64) that the given parts determine."""

    __slots__ = ("_state",)

    def __init__(self, *parts: object) -> None:
        name = "\x1f".join(map(str, parts)).encode()
        self._state = int.from_bytes(blake2b(name, digest_size=8).digest())

    def whole(self) -> int:
        """Draw 64 bits."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return mixed ^ (mixed >> 31)

    def share(self) -> float:
        """Draw a number of [0, 1)."""
        return self.whole() / (_MASK + 1)

    def below(self, limit: int) -> int:
        """Draw a whole number of [0, limit)."""
        return self.whole() % limit

    def between(self, low: int, high: int) -> int:
        """Draw a whole number of [low, high]."""
        return low + self.below(high - low + 1)

    def is_true(self, chance: float) -> bool:
        """Draw true with the given chance."""
        return self.share() < chance

    def one_of(self, items: Sequence[T]) -> T:
        """Draw one of the items."""
        return items[self.below(len(items))]

    def skewed(self, typical: float) -> float:
        """Draw an exponentially distributed number with the given mean."""
        return -typical * log(1.0 - self.share())

    def letters(self, number: int) -> str:
        """Draw characters that a YouTube id may have."""
        return "".join(self.one_of(_ALPHABET) for _ in range(number))

    def uuid(self) -> str:
        """Draw an id in the form of a UUID."""
        digits = f"{self.whole():016x}{self.whole():016x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))
