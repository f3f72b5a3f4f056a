"""What a text shows apart from which words it has: its tone by the lexicon, its length, its marks.

Belongs here: these numbers, each about as large as a word's share of a text. What they weigh for a
label is learned by `linear`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from social_assets.transform.text.models.lexicon import lexicon_model

SIGNS = 9
_TONE = 0.7
_MARK = 0.3
_LOUD = re.compile(r"\b[A-Z]{2,}\b")
_DIGIT = re.compile(r"[0-9]")


def signs(texts: Sequence[str]) -> NDArray[np.float32]:
    """Rows of SIGNS, texts x 9.

    How positive the lexicon finds the text, how negative, whether it finds neither (so it is in a
    language that the lexicon does not know); the logarithms of its length, question marks,
    exclamation marks, words in capitals and digits; whether it has a link.
    """
    score = lexicon_model().score(texts).score
    tones = np.stack([np.maximum(score, 0), np.maximum(-score, 0), score == 0], axis=1)
    counts = np.array([_counted(text) for text in texts], np.float64).reshape(-1, 5)
    has_link = np.array([["://" in text] for text in texts], np.float64).reshape(-1, 1)
    marks = np.log1p(counts) * (0.2, 1.0, 1.0, 1.0, 0.5)
    found = np.concatenate([tones * _TONE, marks * _MARK, has_link * _MARK], axis=1)
    return found.astype(np.float32)


def _counted(text: str) -> tuple[int, int, int, int, int]:
    loud = len(_LOUD.findall(text))
    return len(text), text.count("?"), text.count("!"), loud, len(_DIGIT.findall(text))
