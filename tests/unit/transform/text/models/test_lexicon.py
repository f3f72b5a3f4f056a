"""VADER's scores, by its rules and at many times the speed of its package."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from vaderSentiment import vaderSentiment

from social_assets.transform.text.models.lexicon import lexicon_model

RULE_WORDS = [
    *vaderSentiment.NEGATE, *vaderSentiment.BOOSTER_DICT, *vaderSentiment.SPECIAL_CASES,
    "but", "BUT", "least", "at least",
    "no", "or", "nor", "kind of", "never so", "this", "without a doubt", "NOT", "I", ":)", ":D",
    "good", "GREAT", "bad", "awful!!", "why??", "????", "\N{GRINNING FACE}",
    "\N{WHITE FROWNING FACE}",
    "plain", "\ud800", "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}", "sad\N{GRINNING FACE}",
]  # fmt: skip


@cache
def package() -> Any:
    return vaderSentiment.SentimentIntensityAnalyzer()


@cache
def lexicon_words() -> list[str]:
    return sorted(package().lexicon)


@settings(max_examples=1500, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(RULE_WORDS),
            st.sampled_from(lexicon_words()),
            st.sampled_from(lexicon_words()).map(str.upper),
            st.text(max_size=8),
        ),
        max_size=16,
    ),
    st.sampled_from([" ", "  ", "\n", "", ", ", "! "]),
)
@example(["good", "good", "but", "good", "good"], " ")
@example(["but", "bad", "bad", "but", "bad"], " ")
@example(["no", "good", "or", "bad", "least", "happy"], " ")
def test_scores_are_those_of_the_package(words: list[str], between: str) -> None:
    text = between.join(words)
    assert lexicon_model().compound(text) == package().polarity_scores(text)["compound"]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("I love this, thank you!", "positive"),
        ("The worst service. Awful.", "negative"),
        ("not good at all", "negative"),
        ("The flight leaves at nine", "neutral"),
        ("Der Flug ist schrecklich", "neutral"),
    ],
)
def test_a_text_has_the_label_of_its_words(text: str, label: str) -> None:
    assert lexicon_model().score([text]).label_names() == [label]


def test_a_missing_and_a_blank_text_have_no_score() -> None:
    scores = lexicon_model().score(["good", None, "", " \n ", "bad"])
    assert scores.label_names() == ["positive", None, None, None, "negative"]
    assert np.isnan(scores.score).tolist() == [False, True, True, True, False]


def test_no_text_gives_no_score() -> None:
    assert len(lexicon_model().score([]).score) == 0


@pytest.mark.timeout(20)
def test_a_text_of_ten_megabytes_is_scored_by_its_begin() -> None:
    text = "good bad but " * 800_000
    scores = lexicon_model().score([text, "good"])
    assert scores.score[0] == lexicon_model().score([text[:100_000]]).score[0]
    assert scores.label_names()[1] == "positive"


def test_a_score_says_its_model_and_version() -> None:
    model = lexicon_model()
    assert (model.name, model.version, model.languages) == ("lexicon", "3.3.2", ("en",))
