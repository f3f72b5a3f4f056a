"""How much the scores of a scorer vary over items, by which parts of a sum get one scale.

Belongs here: only that. `graph_filter` and `blend` use it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recsys.scoring.histories import Histories
from recsys.scoring.scorer import Scorer

# The number of users whose scores determine the scale.
_SCALED_BY = 1000
_USERS_AT_ONCE = 100


def mean_spreads(parts: Sequence[tuple[Scorer, Histories]]) -> list[float]:
    """For each scorer, the standard deviation of a user's scores over all items, as the mean over
    about a thousand users.

    The histories of each scorer are those of all users, in its own weights. The users are spread
    evenly over those with interactions. 0 without such users.
    """
    busy = np.flatnonzero(parts[0][1].lists.lengths)
    some: NDArray[np.int64] = busy[:: max(1, len(busy) // _SCALED_BY)]
    sums = np.zeros(len(parts))
    for batch in np.array_split(some, max(1, len(some) // _USERS_AT_ONCE)):
        for place, (scorer, histories) in enumerate(parts):
            scores = scorer.scores(batch, histories.take(batch))
            sums[place] += float(scores.std(axis=1, dtype=np.float64).sum()) if scores.size else 0.0
    return [float(total) / max(1, len(some)) for total in sums]
