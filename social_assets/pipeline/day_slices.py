"""Cuts days into slices that are processed together.

Belongs here: how much of a table one commit or one swap takes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

from social_assets.lake.delta import LakeTable
from social_assets.lake.row_groups import row_groups

SLICE_ROWS = 500_000
SLICE_BYTES = 1 << 30
"""A slice has up to so many rows and bytes, or is one day."""


def slices(
    table: LakeTable, days: Sequence[date], at_most: int = SLICE_ROWS
) -> list[tuple[date, ...]]:
    """Cut days into slices, by the rows and bytes in the footers of the table's files."""
    rows, sizes = Counter[date](), Counter[date]()
    for group in row_groups(table, days):
        rows[group.event_date] += group.rows
        sizes[group.event_date] += group.size_bytes
    cut: list[tuple[date, ...]] = []
    held_rows = held_bytes = 0
    for day in days:
        held_rows, held_bytes = held_rows + rows[day], held_bytes + sizes[day]
        if cut and held_rows <= at_most and held_bytes <= SLICE_BYTES:
            cut[-1] = (*cut[-1], day)
        else:
            cut.append((day,))
            held_rows, held_bytes = rows[day], sizes[day]
    return cut
