"""Histories of users, written as rows of items."""

import numpy as np

from recsys.scoring.histories import Histories
from recsys.scoring.ranking import ItemLists


def histories(*rows: list[int]) -> Histories:
    """Each row is items in the order in which the user had them."""
    lengths = [len(row) for row in rows]
    indices = [item for row in rows for item in sorted(row)]
    times = [row.index(item) for row in rows for item in sorted(row)]
    lists = ItemLists(np.cumsum([0, *lengths]), np.array(indices, dtype=np.int32))
    return Histories(lists, np.ones(len(indices), dtype=np.float32), np.array(times, dtype=int))
