"""What all networks do with vectors of users and items: scores, likeness, and refusing bad arrays.

Belongs here: functions of vectors. NumPy only, because a consumer runs this code too. Does not
belong here: how a network makes the vector of a user (one file each beside).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.scoring.ranking import Float32

Arrays = Mapping[str, Any]
"""Float32 arrays by name."""


def refuse_unlearned(arrays: Arrays, names: Sequence[str]) -> None:
    """Raise ValueError for an array that is not float32, or has values that are not finite."""
    for name in names:
        array = arrays[name]
        if array.dtype != np.float32 or not np.isfinite(array).all():
            raise ValueError(
                f"{name} is {array.dtype}, or holds NaN or inf: training diverged; lower the"
                " learning rate"
            )


def scores_of(vectors: Float32, items: Float32, known: NDArray[np.bool_]) -> Float32:
    """The products of users' and items' vectors, above the lowest of the user, plus one.

    Items that are not `known` score 0, and so does everything for a user whose vector is zero: of
    them nothing is known.
    """
    scores: Float32 = vectors @ items.T
    lowest = scores.min(axis=1, keepdims=True, where=known, initial=np.inf)
    scores -= lowest - 1
    scores[:, ~known] = 0
    scores[~vectors.any(axis=1)] = 0
    return scores


def unit_vectors(items: Float32, known: NDArray[np.bool_]) -> Float32:
    """The vectors of unit length, by which items are alike; zero for items that are not known."""
    norms = np.linalg.norm(items, axis=1, keepdims=True)
    unit: Float32 = items / np.maximum(norms, np.float32(1e-12))
    unit[~known] = 0
    return unit
