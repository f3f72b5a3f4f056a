"""How many of the deleted records are of each person.

Belongs here: counting, so that each request is told its own records, and what a contract's columns
say. Persons are halved as long as the rows have one of them: no row is compared with every person.
What else makes a record a person's belongs to `erase_persons`. A record of two persons counts for
both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from social_assets.contracts.contract import Contract
from social_assets.control.privacy.person import Person
from social_assets.pipeline.privacy.forgotten_records import may_be_of
from social_assets.pipeline.privacy.person_ids import PersonIds

PersonMask = Callable[[PersonIds, pa.Table], pa.BooleanArray]
"""Tells which rows are of some persons, all of one platform or all of none."""


class DeletedByPerson:
    """Counts deleted rows by person, many at a time: most parts of a table have few of them."""

    def __init__(
        self, count: Callable[[pa.Table], Counter[Person]], *, most_rows: int, most_bytes: int
    ) -> None:
        self._count = count
        self._most_rows, self._most_bytes = most_rows, most_bytes
        self._waiting: list[pa.Table] = []
        self._found: Counter[Person] = Counter()

    def add(self, rows: pa.Table) -> None:
        """Count these rows, now or with the following ones."""
        if rows.num_rows:
            self._waiting.append(rows)
        is_full = sum(each.num_rows for each in self._waiting) >= self._most_rows
        if is_full or sum(each.nbytes for each in self._waiting) >= self._most_bytes:
            self._count_waiting()

    def total(self) -> Counter[Person]:
        """The records of each person in all rows."""
        self._count_waiting()
        return self._found

    def _count_waiting(self) -> None:
        if self._waiting:
            self._found += self._count(pa.concat_tables(self._waiting))
            self._waiting = []


def records_by_person(persons: PersonIds, rows: pa.Table, of: PersonMask) -> Counter[Person]:
    """How many of the rows are of each person."""
    found: Counter[Person] = Counter()
    for group in persons.by_platform.values():
        _count(group, rows, of, found)
    return found


def is_in_columns(contract: Contract, group: PersonIds, answer: pa.Table) -> pa.BooleanArray:
    """Which records have one of the persons of one platform in a column of persons."""
    ids = pa.array(sorted(group.ids), pa.string())
    found = pa.array(np.zeros(answer.num_rows, np.bool_))
    for name in contract.persons:
        found = pc.or_(found, pc.is_in(answer[name], ids).combine_chunks())
    return of_platform(group, found, answer)


def of_platform(group: PersonIds, mask: pa.BooleanArray, rows: pa.Table) -> pa.BooleanArray:
    """The mask, but for rows that name another platform than that of the persons."""
    (platform,) = group.by_platform
    return mask if platform is None else pc.and_(mask, may_be_of(platform, rows))


def _count(group: PersonIds, rows: pa.Table, of: PersonMask, found: Counter[Person]) -> None:
    mask = of(group, rows)
    if not mask.true_count:
        return
    if len(group.persons) == 1:
        (person,) = group.persons
        found[person] += mask.true_count
        return
    for half in group.halves:
        _count(half, rows.filter(mask), of, found)
