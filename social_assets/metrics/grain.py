"""The grains of time: of the rows of a table, and of the buckets of an answer.

Belongs here: their order. Where buckets begin in a time zone belongs to `planner.buckets`.
"""

from __future__ import annotations

from enum import IntEnum


class Grain(IntEnum):
    """From the finest to the coarsest. INSTANT is that of facts, TOTAL that of a single bucket."""

    INSTANT = 0
    HOUR = 1
    DAY = 2
    WEEK = 3
    MONTH = 4
    TOTAL = 5

    @property
    def word(self) -> str:
        """The name that people write, such as `day`."""
        return self.name.lower()


ANSWERED: tuple[Grain, ...] = (Grain.HOUR, Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.TOTAL)
"""The grains that a question may name."""
