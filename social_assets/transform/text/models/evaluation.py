"""How right labels are: accuracy and macro-F1 on a held-out slice, with bootstrap intervals.

Belongs here: the slice, the measures, and the comparison of two models on the same texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from social_assets.transform.text.models.model import LABELS

HELD_OUT_SHARE = 0.2
_RESAMPLES = 1_000
_SEED = 0
_LEVELS = (2.5, 97.5)
_WIDTH = len(LABELS) + 1
"""The labels, and none."""


@dataclass(frozen=True)
class Interval:
    """A figure, and its 95 % interval over resamples of the texts."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class LabelEvaluation:
    """How well a model labels `texts` texts.

    `confusion` has a row for each true label and a column for each given one, in the order of
    `LABELS`; its last column counts texts without a label.
    """

    texts: int
    accuracy: Interval
    macro_f1: Interval
    confusion: tuple[tuple[int, ...], ...]


def is_held_out(key: str, share: float = HELD_OUT_SHARE) -> bool:
    """Whether the text of a key is for evaluation: the same in every run and for every model."""
    number = int.from_bytes(blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest())
    return number < share * (1 << 64)


def evaluate_labels(truth: Sequence[str], predicted: Sequence[str | None]) -> LabelEvaluation:
    """Compare labels with the truth. A text without a label is wrong.

    Raises ValueError if there is no text.
    """
    if not truth:
        raise ValueError("there is no text to evaluate on")
    matrices = _resampled(_numbers(truth) * _WIDTH + _numbers(predicted), _WIDTH**2)
    matrices = matrices.reshape(-1, _WIDTH, _WIDTH)
    confusion = tuple(tuple(row) for row in matrices[0, : len(LABELS)].tolist())
    accuracy, macro_f1 = _interval(_accuracy(matrices)), _interval(_macro_f1(matrices))
    return LabelEvaluation(len(truth), accuracy, macro_f1, confusion)


def gain_in_macro_f1(
    truth: Sequence[str], first: Sequence[str | None], second: Sequence[str | None]
) -> Interval:
    """How much the macro-F1 of the first labels is above that of the second, on the same texts.

    Each resample has the same texts for both, so that texts that are hard for both do not widen the
    interval. Raises ValueError if there is no text.
    """
    if not truth:
        raise ValueError("there is no text to evaluate on")
    cells = (_numbers(truth) * _WIDTH + _numbers(first)) * _WIDTH + _numbers(second)
    drawn = _resampled(cells, _WIDTH**3).reshape(-1, _WIDTH, _WIDTH, _WIDTH)
    return _interval(_macro_f1(drawn.sum(axis=3)) - _macro_f1(drawn.sum(axis=2)))


def _numbers(labels: Sequence[str | None]) -> NDArray[np.int64]:
    return np.array([LABELS.index(each) if each else len(LABELS) for each in labels], np.int64)


def _resampled(cells: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """How many texts fall in each cell; first of all texts, then of each resample of them."""
    counts = np.bincount(cells, minlength=size)
    # A resample of the texts is a draw of the cells that they fall in.
    drawn = np.random.default_rng(_SEED).multinomial(len(cells), counts / len(cells), _RESAMPLES)
    return np.vstack([counts, drawn]).astype(np.int64)


def _accuracy(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    right: NDArray[np.float64] = np.einsum("nii->n", confusion) / confusion.sum(axis=(1, 2))
    return right


def _macro_f1(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """The mean F1 of the labels that the truth has."""
    right = np.einsum("nii->ni", confusion)[:, : len(LABELS)]
    true = confusion.sum(axis=2)[:, : len(LABELS)]
    given = confusion.sum(axis=1)[:, : len(LABELS)]
    f1 = 2 * right / np.maximum(true + given, 1)
    present = true > 0
    means: NDArray[np.float64] = (f1 * present).sum(axis=1) / np.maximum(present.sum(axis=1), 1)
    return means


def _interval(values: NDArray[np.float64]) -> Interval:
    low, high = np.percentile(values[1:], _LEVELS)
    return Interval(float(values[0]), float(low), float(high))
