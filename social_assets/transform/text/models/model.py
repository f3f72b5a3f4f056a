"""What every text model is: batches of texts in, a score from -1 to 1 and a label out.

Belongs here: the interface, the labels, and how texts are made ready for every model. How texts are
scored belongs to the models, one module each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

NEGATIVE, NEUTRAL, POSITIVE = "negative", "neutral", "positive"
LABELS = (NEGATIVE, NEUTRAL, POSITIVE)
"""Every label that a model gives, in the order of their numbers."""

LONGEST_TEXT = 100_000
"""Characters of a text that are read; the rest changes nothing. No platform has longer texts."""

Scores32 = NDArray[np.float32]
LabelNumbers = NDArray[np.int8]


@dataclass(frozen=True)
class TextScores:
    """Scores of a batch, in the order of its texts.

    `score` is from -1 (negative) to 1 (positive), `label` a place in `LABELS`. A text that is
    missing or blank has the score NaN and the label -1.
    """

    score: Scores32
    label: LabelNumbers

    def label_names(self) -> list[str | None]:
        """The label of each text as a word; None if it has none."""
        return [LABELS[number] if number >= 0 else None for number in self.label.tolist()]


class TextModel(Protocol):
    """A model that gives texts a score and a label."""

    @property
    def name(self) -> str:
        """Which model it is."""
        ...

    @property
    def version(self) -> str:
        """Which version of it: other versions may give other scores."""
        ...

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages that it can score, as ISO 639-1 codes; empty if it depends on its training."""
        ...

    def score(self, texts: Sequence[str | None]) -> TextScores:
        """Score a batch. Texts of any length and any characters are accepted."""
        ...


def readable(texts: Sequence[str | None]) -> tuple[list[int], list[str]]:
    """The places of the texts that can be scored, and these texts, cut to `LONGEST_TEXT`."""
    places, found = [], []
    for place, text in enumerate(texts):
        if text and not text.isspace():
            places.append(place)
            found.append(text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT])
    return places, found


def placed(size: int, places: Sequence[int], score: Any, label: Any) -> TextScores:
    """Scores of the texts at some places of a batch; the others have none."""
    scores = np.full(size, np.nan, np.float32)
    labels = np.full(size, -1, np.int8)
    if places:
        at = np.asarray(places)
        scores[at], labels[at] = score, label
    return TextScores(scores, labels)
