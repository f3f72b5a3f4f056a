"""When records arrive: most on time and once, some late, some twice.

Belongs here: in which file a record is, and how often. Does not belong here: errors within a record
(`flaws`). Only records without flaw are late or doubled, so that every second copy is a duplicate
and nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from social_assets.demo.samples.world import Ints

_TWICE = 0.003  # of records: a second copy somewhat further down the same file
_REDELIVERED = 0.002  # of records: a second copy in the file of the next day
_LATE = 0.008  # of records: only in a file one to three days later
_MOST_DAYS_LATE = 3
_LONGEST_RETRY = 2_000  # records between a record and its copy


@dataclass(frozen=True)
class DeliveredFile:
    """The content of one file: records with the marks of their flaws, in order; the counts say how
    many came late, and how many are copies of another record of the same event date.
    """

    table: Any
    marks: Ints
    late: int
    copies: int


@dataclass
class Delivery:
    """Delivers the records of a stream day by day, and holds back the late ones."""

    days: int
    crosses_days: bool
    _late: dict[int, list[Any]] = field(default_factory=lambda: defaultdict(list))
    _copies: dict[int, list[Any]] = field(default_factory=lambda: defaultdict(list))

    def of_day(
        self, day: int, table: Any, marks: Ints, flawless: int, rng: np.random.Generator
    ) -> DeliveredFile:
        """The day's file, from the day's records and the marks of their flaws.

        Call it once for each day, in order.
        """
        n = table.num_rows
        fate = np.searchsorted(np.cumsum([_TWICE, _REDELIVERED, _LATE]), rng.random(n), "right")
        fate[marks != flawless] = 3
        later = day + rng.integers(1, _MOST_DAYS_LATE + 1, n)
        late = (fate == 2) & self.crosses_days & (later < self.days)
        self._hold_back(day, table, late, later, fate == 1)

        twice = np.flatnonzero(fate == 0)
        own = np.flatnonzero(~late)
        late_ones, copies = self._late.pop(day, []), self._copies.pop(day, [])
        arrived_late = sum(t.num_rows for t in late_ones)
        strangers = arrived_late + sum(t.num_rows for t in copies)
        place = np.concatenate(
            [
                own,
                twice + rng.integers(1, _LONGEST_RETRY, len(twice)),
                rng.integers(0, max(1, n), strangers),
            ]
        )
        rows = np.concatenate([own, twice, n + np.arange(strangers)])
        rows = rows[np.argsort(place, kind="stable")]
        everything = pa.concat_tables([table, *late_ones, *copies]) if strangers else table
        all_marks = np.concatenate([marks, np.full(strangers, flawless)])
        return DeliveredFile(
            table=everything.unify_dictionaries().combine_chunks().take(pa.array(rows)),
            marks=all_marks[rows],
            late=arrived_late,
            copies=len(twice) + strangers - arrived_late,
        )

    def _hold_back(self, day: int, table: Any, late: Any, later: Ints, redelivered: Any) -> None:
        for arrival in range(day + 1, min(day + _MOST_DAYS_LATE + 1, self.days)):
            self._late[arrival].append(table.filter(pa.array(late & (later == arrival))))
        if self.crosses_days and day + 1 < self.days:
            self._copies[day + 1].append(table.filter(pa.array(redelivered)))
