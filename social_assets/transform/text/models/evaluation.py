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
    """How well a model labels `texts` texts."""

    texts: int
    accuracy: Interval
    macro_f1: Interval


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
    true = np.array([LABELS.index(label) for label in truth])
    given = np.array([LABELS.index(label) if label else len(LABELS) for label in predicted])
    width = len(LABELS) + 1
    cells = true * width + given
    counts = np.bincount(cells, minlength=width * width)
    # A resample of the texts is a draw of the cells that they fall in.
    drawn = np.random.default_rng(_SEED).multinomial(len(cells), counts / len(cells), _RESAMPLES)
    accuracy, macro_f1 = (
        measure(np.vstack([counts, drawn]).reshape(-1, width, width))
        for measure in (_accuracy, _macro_f1)
    )
    return LabelEvaluation(len(truth), _interval(accuracy), _interval(macro_f1))


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
