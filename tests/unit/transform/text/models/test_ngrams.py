"""Counts of words and characters are those that a loop over each text finds."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from social_assets.transform.text.models import ngrams
from social_assets.transform.text.models.ngrams import BUCKETS, CountedTexts, counted


def one(texts: list[str]) -> CountedTexts:
    (batch,) = counted(texts)
    return batch


def words_of(text: str) -> list[str]:
    spaced = "".join(c if c.isalnum() else " " for c in text.lower())
    return spaced.split()


def runs_of(text: str) -> list[str]:
    plain = f" {' '.join(text.lower().split())} "
    runs = [plain[at : at + n] for n in (2, 3, 4, 5) for at in range(len(plain) - n + 1)]
    return [run for run in runs if " " not in run[1:-1] and run != "  "]


def assert_counts(found: list[float], expected: Counter[Any]) -> None:
    """The counts of buckets are those of the loop. Of 150 runs, two have the same one of 2^21
    buckets in one text of 200, and three pairs in next to none.
    """
    assert sum(found) == expected.total()
    shared = len(expected) - len(found)
    assert 0 <= shared <= 2
    if not shared:
        assert sorted(found) == sorted(map(float, expected.values()))


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40))
def test_counts_are_those_of_a_loop(text: str) -> None:
    if "://" in text or not text.strip():
        return
    found = one([text])
    words = words_of(text)
    features = Counter([*words, *pairwise(words)])
    assert_counts(found.words.data.tolist(), features)
    assert_counts(found.characters.data.tolist(), Counter(runs_of(text)))


def test_a_word_has_one_bucket_wherever_it_stands() -> None:
    counts = one(["alpha", "beta alpha", "gamma, Alpha!"]).words
    shared = set(counts[0].indices) & set(counts[1].indices) & set(counts[2].indices)
    assert len(shared) == 1


def test_links_are_all_one_word() -> None:
    counts = one(["see https://example.com/a", "see HTTPS://example.org/b?c=d"])
    np.testing.assert_array_equal(counts.words[0].toarray(), counts.words[1].toarray())


def test_only_known_columns_are_counted() -> None:
    (bucket,) = one(["alpha"]).words.indices
    columns = np.full(BUCKETS, -1, np.int32)
    columns[bucket] = 0
    (found,) = counted(["alpha beta alpha"], columns)
    assert found.words.toarray().tolist() == [[2.0]]


def test_batches_give_the_counts_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"text number {n} of many" for n in range(50)]
    whole = one(texts)
    monkeypatch.setattr(ngrams, "_BATCH_CHARACTERS", 100)
    parts = list(counted(texts))
    assert len(parts) > 5
    found = np.concatenate([part.words.indices for part in parts])
    np.testing.assert_array_equal(found, whole.words.indices)
