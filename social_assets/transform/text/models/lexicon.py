"""VADER: sentiment of English by a lexicon and rules, without training.

Hutto and Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social Media
Text", ICWSM 2014. Lexicon, word lists and constants are those of the package `vaderSentiment`, and
so are the scores, to the last of their four digits: a property test compares both. The package's
own code scores 5,000 texts a second, as it examines every word against every list. This module
looks a word up once, keeps what it found, and applies the rules only around words of the lexicon.
"""

from __future__ import annotations

import heapq
import math
import re
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import numpy as np

from social_assets.transform.text.models.model import TextScores, placed, readable

_LEAST = 0.05
"""From this score on a text is positive, from the opposite on negative, as its authors advise."""
_KEPT_TOKENS = 200_000
_LONGEST_KEPT_TOKEN = 40
_ALPHA = 15
_DAMPED = (1.0, 0.95, 0.9)
"""What a booster counts one, two and three words before the word that it boosts."""
_MARKS_OF_EXCLAMATION, _EXCLAIMED = 4, 0.292
_ASKED, _ASKED_OFTEN = 0.18, 0.96
_Value = TypeVar("_Value")


_SCORED, _RULED, _IDIOM, _UPPER, _BUT = 1, 2, 4, 8, 16
"""Bits of a word's kind: it has a valence; it sets off a rule; it is the longest word of an idiom;
it is in capitals; it is "but"."""
_RULE_WORDS = ("no", "kind", "least", "so", "this")
"""Words that set off a rule, beside boosters, negations and idioms."""
_SO = ("so", "this")


@dataclass(frozen=True, slots=True)
class _Word:
    """What the rules ask of a word."""

    lower: str
    is_upper: bool
    valence: float | None
    """Its valence in the lexicon; None if it is not there."""
    boost: float
    """How it changes the words behind it; 0 if it does not."""
    negates: bool


def _without(bits: int) -> bytes:
    """The kinds that have none of some bits."""
    return bytes(kind for kind in range(32) if not kind & bits)


_NOT_RULED, _NOT_IDIOM, _NOT_UPPER = _without(_RULED | _IDIOM), _without(_IDIOM), _without(_UPPER)


class _Kept(dict[str, _Value]):
    """Values by token as it stands in a text, each computed once."""

    def __init__(self, compute: Callable[[str], _Value]) -> None:
        super().__init__()
        self._compute = compute

    def __missing__(self, token: str) -> _Value:
        value = self._compute(token)
        if len(token) <= _LONGEST_KEPT_TOKEN:
            if len(self) >= _KEPT_TOKENS:
                self.clear()
            self[token] = value
        return value


class LexiconModel:
    """VADER, at the version of the installed package."""

    name = "lexicon"
    languages = ("en",)

    def __init__(self) -> None:
        """Read the lexicon, which takes 20 ms."""
        from importlib.metadata import version

        from vaderSentiment import vaderSentiment

        analyzer = vaderSentiment.SentimentIntensityAnalyzer()
        self.version: str = version("vaderSentiment")
        self._lexicon: Mapping[str, float] = analyzer.lexicon
        self._boosters: Mapping[str, float] = vaderSentiment.BOOSTER_DICT
        self._negations = frozenset(vaderSentiment.NEGATE)
        self._special: Mapping[str, float] = vaderSentiment.SPECIAL_CASES
        self._capitals: float = vaderSentiment.C_INCR
        self._negated: float = vaderSentiment.N_SCALAR
        self._emojis: Mapping[str, str] = analyzer.emojis
        single = (re.escape(emoji) for emoji in self._emojis if len(emoji) == 1)
        self._emoji = re.compile(f"[{''.join(single)}]")
        idioms = (*self._special, *(each for each in self._boosters if " " in each))
        self._idiomatic = {max(idiom.split(), key=len) for idiom in idioms}
        self._words = _Kept(self._examined)
        self._kinds = _Kept(self._kind)

    def score(self, texts: Sequence[str | None]) -> TextScores:
        """Score a batch; texts in other languages are neutral where they have no word of it."""
        places, found = readable(texts)
        score = np.array([self.compound(text) for text in found], np.float64)
        label = np.where(score >= _LEAST, 2, np.where(score <= -_LEAST, 0, 1))
        return placed(len(texts), places, score, label)

    def compound(self, text: str) -> float:
        """VADER's compound score of one text, with four digits."""
        # The pattern has 1,400 characters, and takes 0.4 ms to find that a text has none of them.
        if not text.isascii() and not self._emojis.keys().isdisjoint(text):
            text = self._emoji.sub(self._described, text)
        tokens = text.split()
        kinds = bytes(map(self._kinds.__getitem__, tokens))
        scored = [i for i, kind in enumerate(kinds) if kind & _SCORED]
        if not scored:
            return 0.0
        is_mixed = 0 < len(kinds.translate(None, _NOT_UPPER)) < len(tokens)
        valences = {i: self._valence_at(tokens, kinds, i, is_mixed) for i in scored}
        but = next((i for i, kind in enumerate(kinds) if kind & _BUT), None)
        if but is not None:
            valences = _weighed_around(but, valences)
        total = float(sum(valences.values()))
        if total > 0:
            total += _emphasis(text)
        elif total < 0:
            total -= _emphasis(text)
        normal = total / math.sqrt(total * total + _ALPHA)
        return round(max(-1.0, min(1.0, normal)), 4)

    def _described(self, match: re.Match[str]) -> str:
        """The words for an emoji, apart from what stands before it."""
        at, text = match.start(), match.string
        apart = "" if at == 0 or text[at - 1] == " " else " "
        return apart + self._emojis[match[0]]

    def _examined(self, token: str) -> _Word:
        bare = token.strip(string.punctuation)
        # What is left of an emoticon is too short to be a word.
        word = token if len(bare) <= 2 else bare
        lower = word.lower()
        return _Word(
            lower,
            word.isupper(),
            self._lexicon.get(lower),
            self._boosters.get(lower, 0.0),
            lower in self._negations or "n't" in lower,
        )

    def _kind(self, token: str) -> int:
        word = self._words[token]
        return (
            _SCORED * (word.valence is not None and word.boost == 0)
            + _RULED * (word.boost != 0 or word.negates or word.lower in _RULE_WORDS)
            + _IDIOM * (word.lower in self._idiomatic)
            + _UPPER * word.is_upper
            + _BUT * (word.lower == "but")
        )

    def _valence_at(self, tokens: Sequence[str], kinds: bytes, i: int, is_mixed: bool) -> float:
        """The valence of a word of the lexicon: around most there is none that sets off a rule."""
        first = i - 3 if i > 3 else 0
        window = kinds[first : i + 3]
        if window.translate(None, _NOT_RULED):
            words = list(map(self._words.__getitem__, tokens[first : i + 3]))
            has_idiom = bool(window.translate(None, _NOT_IDIOM))
            return self._valence(words, i - first, is_mixed, has_idiom)
        word = self._words[tokens[i]]
        valence = word.valence or 0.0
        if word.is_upper and is_mixed:
            valence += self._capitals if valence > 0 else -self._capitals
        return valence

    def _valence(self, words: Sequence[_Word], i: int, is_mixed: bool, has_idiom: bool) -> float:
        """The valence of a word of the lexicon where it stands."""
        word, last = words[i], len(words) - 1
        if word.lower == "kind" and i < last and words[i + 1].lower == "of":
            return 0.0
        valence = word.valence or 0.0
        if word.lower == "no" and i < last and words[i + 1].valence is not None:
            valence = 0.0
        if _follows_no(words, i):
            valence = (word.valence or 0.0) * self._negated
        if word.is_upper and is_mixed:
            valence += self._capitals if valence > 0 else -self._capitals
        for back in range(1, min(i, 3) + 1):
            before = words[i - back]
            if before.valence is not None:
                continue
            if before.boost:
                valence += self._boosted(before, valence, is_mixed) * _DAMPED[back - 1]
            valence = self._after_negation(words, i, back, valence)
            if back == 3 and has_idiom:
                valence = self._in_idiom(words, i, valence)
        return self._after_least(words, i, valence)

    def _boosted(self, word: _Word, valence: float, is_mixed: bool) -> float:
        """What a word before adds to a valence."""
        added = -word.boost if valence < 0 else word.boost
        if word.is_upper and is_mixed:
            added += self._capitals if valence > 0 else -self._capitals
        return added

    def _after_negation(self, words: Sequence[_Word], i: int, back: int, valence: float) -> float:
        """The valence after the word that stands `back` before it has negated it, or not."""
        before = words[i - back]
        if back > 1:
            near, far = words[i - 1].lower, words[i - back + 1].lower
            never_so = before.lower == "never" and far in _SO
            # Of three words the package takes the nearest "so" for one even without a "never".
            if never_so or (back == 3 and near in _SO):
                return valence * 1.25
            if before.lower == "without" and "doubt" in (near, far):
                return valence
        return valence * self._negated if before.negates else valence

    def _in_idiom(self, words: Sequence[_Word], i: int, valence: float) -> float:
        """The valence of the idiom that the word stands in, and boosters of two words before it."""
        three, two, one, zero = (words[i - n].lower for n in (3, 2, 1, 0))
        behind = (f"{three} {two} {one}", f"{three} {two}", f"{two} {one}")
        for idiom in (f"{one} {zero}", f"{two} {one} {zero}", behind[2], behind[0], behind[1]):
            if idiom in self._special:
                valence = self._special[idiom]
                break
        following = [word.lower for word in words[i + 1 : i + 3]]
        for n in range(len(following)):
            idiom = " ".join((zero, *following[: n + 1]))
            valence = self._special.get(idiom, valence)
        return valence + sum(self._boosters.get(idiom, 0.0) for idiom in behind)

    def _after_least(self, words: Sequence[_Word], i: int, valence: float) -> float:
        """The valence after "least", which negates but in "at least" and "very least"."""
        if i == 0 or words[i - 1].lower != "least" or words[i - 1].valence is not None:
            return valence
        if i > 1 and words[i - 2].lower in ("at", "very"):
            return valence
        return valence * self._negated


@cache
def lexicon_model() -> LexiconModel:
    """The model, read once a process."""
    return LexiconModel()


def _follows_no(words: Sequence[_Word], i: int) -> bool:
    return (
        (i > 0 and words[i - 1].lower == "no")
        or (i > 1 and words[i - 2].lower == "no")
        or (i > 2 and words[i - 3].lower == "no" and words[i - 1].lower in ("or", "nor"))
    )


def _emphasis(text: str) -> float:
    """What marks of exclamation and questions add."""
    asked = text.count("?")
    of_questions = 0.0 if asked < 2 else asked * _ASKED if asked <= 3 else _ASKED_OFTEN
    return min(text.count("!"), _MARKS_OF_EXCLAMATION) * _EXCLAIMED + of_questions


def _weighed_around(but: int, valences: Mapping[int, float]) -> dict[int, float]:
    """Valences halved before the first "but" and raised by half after it.

    The package looks each valence up by its value, so that of two equal ones the first that has
    this value by then is changed, also twice. Heaps of places by value find the same in order of
    their number instead of its square.
    """
    weighed = dict(valences)
    places: dict[float, list[int]] = {}
    for i, valence in weighed.items():
        places.setdefault(valence, []).append(i)
    for i in valences:
        valence = weighed[i]
        if valence == 0:
            continue
        at = heapq.heappop(places[valence])
        weighed[at] = valence * (0.5 if at < but else 1.5)
        heapq.heappush(places.setdefault(weighed[at], []), at)
    return weighed
