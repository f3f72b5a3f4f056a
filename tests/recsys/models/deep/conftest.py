"""Users who walk a circle of items: what comes next is known, and no matrix tells it."""

import numpy as np
import pytest

from recsys import InteractionMatrix
from recsys.evaluation.next_item import leave_last_out

ITEMS = 30


@pytest.fixture(scope="module")
def walks(rows):
    """300 users who walk a circle of items from some place, six steps, all in equal numbers."""
    random = np.random.default_rng(3)
    starts = random.integers(ITEMS, size=300)
    steps = [
        (f"u{user:03}", f"i{(start + step) % ITEMS:02}", 1.0, step)
        for user, start in enumerate(starts)
        for step in range(6)
    ]
    return InteractionMatrix.from_table(rows(*steps))


@pytest.fixture(scope="module")
def split(walks):
    return leave_last_out(walks)
