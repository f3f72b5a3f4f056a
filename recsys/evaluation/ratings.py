"""Ratings of users, the interface of predictors, and the error of predictions.

Belongs here: the rows with their id maps, the interface of a predictor, MAE and RMSE. Does not
belong here: rankings, which are evaluated by what users choose (`evaluation`): a list does not
improve by knowing how little users like items that they would never choose (Cremonesi, Koren,
Turrin, "Performance of Recommender Algorithms on Top-N Recommendation Tasks", RecSys 2010).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.evaluation.segments import interval_of_ratio
from recsys.matrix import id_column, present_column, sorted_ids
from recsys.scoring.ranking import Float64, Int64

UNKNOWN = -1


@dataclass(frozen=True)
class Ratings:
    """One row for each rating.

    `user` and `item` int64[rows] are positions in the id maps `users` and `items` (sorted
    pa.StringArray), -1 for an id that is not in its map. `rater` int64[rows] numbers all users,
    also those without a position. `value` is float64[rows].
    """

    users: Any
    items: Any
    user: Int64
    item: Int64
    rater: Int64
    value: Float64

    @classmethod
    def from_table(cls, table: Any, *, users: Any | None = None, items: Any | None = None) -> Self:
        """Ratings from a pa.Table of user_id, item_id and value.

        Id maps come from the table, or are the maps that a predictor was fitted with. Raises
        ValueError for a value that is not a finite number.
        """
        user_ids, item_ids = id_column(table, "user_id"), id_column(table, "item_id")
        users = sorted_ids(user_ids) if users is None else users
        items = sorted_ids(item_ids) if items is None else items
        value = present_column(table, "value").cast(pa.float64()).to_numpy()
        if not np.isfinite(value).all():
            raise ValueError("a rating is NaN, infinite or null: filter such rows out")
        rater = _places(user_ids, pc.unique(user_ids))
        user, item = _places(user_ids, users), _places(item_ids, items)
        return cls(users, items, user, item, rater, value)

    def __len__(self) -> int:
        return len(self.value)


def split_ratings(table: Any, cut: datetime) -> tuple[Ratings, Ratings]:
    """Ratings given before `cut` and those given at or after it, with the id maps of the former.

    `table` has event_time, a timestamp with a zone, besides what Ratings.from_table takes.
    """
    before = pc.less(table["event_time"], pa.scalar(cut))
    train = Ratings.from_table(table.filter(before))
    later = table.filter(pc.invert(before))
    return train, Ratings.from_table(later, users=train.users, items=train.items)


class RatingPredictor(Protocol):
    """Fit once, then predict the rating of any item by any user."""

    name: ClassVar[str]

    def fit(self, ratings: Ratings) -> Self:
        """Fit; raises ValueError without ratings."""

    def predict(self, ratings: Ratings) -> Float64:
        """Predict float64[rows]; `ratings.value` is not used. Unknown users and items count as
        average.
        """


def mae(truth: Float64, predicted: Float64) -> float:
    """Mean absolute error, in points of the rating."""
    return float(np.abs(truth - predicted).mean())


def rmse(truth: Float64, predicted: Float64) -> float:
    """Root of the mean squared error, in points of the rating."""
    return float(np.sqrt(np.square(truth - predicted).mean()))


def gain_in_mse(
    ratings: Ratings, candidate: Float64, baseline: Float64, seed: int = 0
) -> tuple[float, float, float]:
    """The decrease of the mean squared error by the candidate, with its 95 % interval.

    The bootstrap draws users and not ratings, because the errors of one user are similar.
    """
    better = np.square(ratings.value - baseline) - np.square(ratings.value - candidate)
    gains: Float64 = np.bincount(ratings.rater, weights=better).astype(np.float64)
    counts: Float64 = np.bincount(ratings.rater).astype(np.float64)
    low, high = interval_of_ratio(gains, counts, seed=seed)
    return float(better.mean()), low, high


def _places(ids: Any, known: Any) -> Int64:
    places = pc.fill_null(pc.index_in(ids, value_set=known), UNKNOWN)
    found: Int64 = places.to_numpy().astype(np.int64)
    return found
