"""Evaluates models of a rating by people whom they have not seen, and chooses one or none.

Belongs here: the models, cross-validation by person, and what is told of the one that leads.
Reading rows belongs to `watching`, and showing to `defs.predictions`.

Sources: gradient boosting on histograms by scikit-learn, after Ke et al., "LightGBM" (NeurIPS
2017); importance by permutation after Breiman, "Random Forests" (2001); errors of one person go
together, so intervals are by person: Cameron, Miller, "A Practitioner's Guide to Cluster-Robust
Inference" (Journal of Human Resources 2015).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from social_assets.predictions.watching import CATEGORIES, NUMBERS, WatchingRows

MEAN, LINEAR, BOOSTED = "mean", "linear", "boosted"
FEWEST_USERS, FEWEST_ROWS = 50, 200
FEWEST_OF_GROUP = 10
"""Groups of fewer people are not shown: an error of theirs would tell of a person."""

_FOLDS = 5
_BINS = 10
_MOST_PERMUTED = 5_000
_LEVELS = 32
_TWO_SIDED_95 = 1.959964

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Gain:
    """By how much a squared error is less than another one, with its interval of 95 %."""

    mean: float
    low: float
    high: float

    @property
    def is_sure(self) -> bool:
        """Whether the whole interval is above zero."""
        return self.low > 0


@dataclass(frozen=True)
class ModelErrors:
    """A model on people it has not seen: errors in points of the rating, gain over the mean."""

    model: str
    mae: float
    rmse: float
    over_mean: Gain


@dataclass(frozen=True)
class BinOfPredictions:
    """A tenth of the rows by prediction: what was predicted, and what people said."""

    predicted: float
    rated: float
    rows: int


@dataclass(frozen=True)
class GroupErrors:
    """The leading model's errors in a group of people; `bias` above zero is predicted too high."""

    by: str
    group: str
    users: int
    mae: float
    bias: float


@dataclass(frozen=True)
class RatingEvaluation:
    """What was found. `champion` is None where no model is surely better than the mean; `leader` is
    the model of which importance (of each column, in squared points), calibration and groups tell.
    """

    rows: int
    users: int
    models: Sequence[ModelErrors]
    champion: str | None
    reason: str
    leader: str | None
    importance: Mapping[str, float]
    calibration: Sequence[BinOfPredictions]
    groups: Sequence[GroupErrors]


def evaluate(rows: WatchingRows, seed: int = 0) -> RatingEvaluation:
    """Cross-validate all models by person. The same rows and seed give the same result.

    Too few rows or people, and ratings that are all one, give an evaluation without a champion
    whose reason says so.
    """
    users = len(np.unique(rows.users))
    if users < FEWEST_USERS or len(rows) < FEWEST_ROWS:
        return _nothing(
            rows,
            users,
            f"{users} people with {len(rows)} rows; {FEWEST_USERS} with {FEWEST_ROWS}"
            " are needed to evaluate a model",
        )
    if np.ptp(rows.rated) == 0:
        return _nothing(rows, users, f"all ratings are {rows.rated[0]:g}: nothing to predict")
    with _one_thread():
        predicted = _cross_validated(rows, seed)
    models = [_errors(name, rows, predicted) for name in (MEAN, LINEAR, BOOSTED)]
    champion, reason = _choice(rows, predicted, models)
    leader = champion or BOOSTED
    with _one_thread():
        importance = _importance(rows, leader, seed)
    return RatingEvaluation(
        rows=len(rows),
        users=users,
        models=models,
        champion=champion,
        reason=reason,
        leader=leader,
        importance=importance,
        calibration=_calibration(predicted[leader], rows.rated),
        groups=_groups(rows, predicted[leader]),
    )


def _nothing(rows: WatchingRows, users: int, reason: str) -> RatingEvaluation:
    return RatingEvaluation(len(rows), users, [], None, reason, None, {}, [], [])


def new_models(seed: int) -> dict[str, Any]:
    """Unfitted models by name, of inputs as in WatchingRows."""
    from sklearn.compose import ColumnTransformer
    from sklearn.dummy import DummyRegressor
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

    numbers = list(range(len(NUMBERS)))
    categories = list(range(len(NUMBERS), len(NUMBERS) + len(CATEGORIES)))
    unknown = {"handle_unknown": "use_encoded_value", "unknown_value": _LEVELS}
    coded = OrdinalEncoder(max_categories=_LEVELS, **unknown)
    one_hot = OneHotEncoder(max_categories=_LEVELS, handle_unknown="infrequent_if_exist")
    scaled = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()
    )
    boosting = HistGradientBoostingRegressor(
        categorical_features=categories,
        max_iter=100,
        learning_rate=0.1,
        min_samples_leaf=50,
        l2_regularization=1.0,
        random_state=seed,
    )
    return {
        MEAN: DummyRegressor(),
        LINEAR: make_pipeline(
            ColumnTransformer([("numbers", scaled, numbers), ("one_hot", one_hot, categories)]),
            Ridge(alpha=10.0),
        ),
        # The encoder keeps the order of columns: first numbers, then categories.
        BOOSTED: make_pipeline(
            ColumnTransformer([("numbers", "passthrough", numbers), ("coded", coded, categories)]),
            boosting,
        ),
    }


@contextmanager
def _one_thread() -> Iterator[None]:
    """Fits of some ten thousand rows gain little by threads, which wait for each other where other
    processes work.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield


def _folds(rows: WatchingRows, seed: int) -> Iterator[tuple[Rows, Rows, Floats]]:
    """Rows to learn from, rows of other people, and the inputs of both."""
    from sklearn.model_selection import GroupKFold

    folds = GroupKFold(_FOLDS, shuffle=True, random_state=seed)
    for learned, unseen in folds.split(rows.inputs, groups=rows.users):
        # A column without any value is no input: boosting cannot make bins of it.
        is_empty = np.isnan(rows.inputs[learned]).all(axis=0)
        yield learned, unseen, np.where(is_empty, 0.0, rows.inputs)


def _cross_validated(rows: WatchingRows, seed: int) -> dict[str, Floats]:
    """Predictions for each row, by models that have not seen its user."""
    predicted = {name: np.zeros(len(rows)) for name in new_models(seed)}
    for learned, unseen, inputs in _folds(rows, seed):
        for name, model in new_models(seed).items():
            model.fit(inputs[learned], rows.rated[learned])
            predicted[name][unseen] = model.predict(inputs[unseen])
    return predicted


def _importance(rows: WatchingRows, name: str, seed: int) -> dict[str, float]:
    """How much the squared error of unseen people grows where a column is shuffled among them, for
    one fold; the most important column first.
    """
    from sklearn.inspection import permutation_importance

    learned, unseen, inputs = next(_folds(rows, seed))
    model = new_models(seed)[name].fit(inputs[learned], rows.rated[learned])
    some = np.random.default_rng(seed).permutation(unseen)[:_MOST_PERMUTED]
    found = permutation_importance(
        *(model, inputs[some], rows.rated[some]),
        scoring="neg_mean_squared_error",
        n_repeats=3,
        random_state=seed,
    )
    values = map(float, found.importances_mean)
    told = zip((*NUMBERS, *CATEGORIES), values, strict=True)
    return dict(sorted(told, key=lambda pair: -pair[1]))


def gain_by_person(squared: Floats, other: Floats, users: NDArray[np.int64]) -> Gain:
    """By how much the mean of `squared` is less than that of `other`, with errors by person."""
    gains = other - squared
    mean = float(gains.mean())
    numbers = np.unique(users, return_inverse=True)[1]
    people = int(numbers.max()) + 1
    deviations = np.bincount(numbers, gains - mean)
    variance = people / max(people - 1, 1) * float((deviations**2).sum()) / len(gains) ** 2
    half = _TWO_SIDED_95 * variance**0.5
    return Gain(mean, mean - half, mean + half)


def _squared(rows: WatchingRows, predicted: Floats) -> Floats:
    squared: Floats = (rows.rated - predicted) ** 2
    return squared


def _errors(name: str, rows: WatchingRows, predicted: Mapping[str, Floats]) -> ModelErrors:
    squared, of_mean = _squared(rows, predicted[name]), _squared(rows, predicted[MEAN])
    return ModelErrors(
        name,
        mae=float(np.abs(rows.rated - predicted[name]).mean()),
        rmse=float(squared.mean() ** 0.5),
        over_mean=gain_by_person(squared, of_mean, rows.users),
    )


def _choice(
    rows: WatchingRows, predicted: Mapping[str, Floats], models: Sequence[ModelErrors]
) -> tuple[str | None, str]:
    """The simplest model that no other one surely exceeds; None if it is the mean."""
    by_name = {each.model: each for each in models}
    over_linear = gain_by_person(
        _squared(rows, predicted[BOOSTED]), _squared(rows, predicted[LINEAR]), rows.users
    )
    linear, boosted = by_name[LINEAR].over_mean, by_name[BOOSTED].over_mean
    if boosted.is_sure and (over_linear.is_sure or not linear.is_sure):
        than = LINEAR if linear.is_sure else MEAN
        return BOOSTED, f"{BOOSTED} is surely better than {than}: {_told(boosted)} over the mean"
    if linear.is_sure:
        return (
            LINEAR,
            f"{BOOSTED} is not surely better than {LINEAR}: {_told(linear)} over the mean",
        )
    return None, f"no model is surely better than the mean: {BOOSTED} {_told(boosted)}"


def _told(gain: Gain) -> str:
    return f"{gain.mean:+.3f} squared points, 95 % interval [{gain.low:+.3f}, {gain.high:+.3f}]"


def _calibration(predicted: Floats, rated: Floats) -> list[BinOfPredictions]:
    order = np.argsort(predicted, kind="stable")
    return [
        BinOfPredictions(float(predicted[part].mean()), float(rated[part].mean()), len(part))
        for part in np.array_split(order, _BINS)
        if len(part)
    ]


def _groups(rows: WatchingRows, predicted: Floats) -> list[GroupErrors]:
    found = []
    for by, names in rows.groups.items():
        for group in sorted(set(names.tolist()) - {None}):
            own = names == group
            users = len(np.unique(rows.users[own]))
            if users >= FEWEST_OF_GROUP:
                error = predicted[own] - rows.rated[own]
                mae, bias = float(np.abs(error).mean()), float(error.mean())
                found.append(GroupErrors(by, str(group), users, mae, bias))
    return found
