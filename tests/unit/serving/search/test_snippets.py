"""Which characters of a text are marked, and which part of a long text is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from social_assets.serving.search.question import Clause, ClauseKind
from social_assets.serving.search.snippets import LENGTH, snippet_of
from social_assets.serving.search.terms import Term


def term(*in_order: str, kind: ClauseKind = ClauseKind.WORDS, is_excluded: bool = False) -> Term:
    return Term(Clause(kind, " ".join(in_order), is_excluded), in_order, in_order)


def marked(text: str, *terms: Term) -> list[str]:
    snippet = snippet_of(text, terms)
    return [snippet.text[begin:end] for begin, end in snippet.marks]


@pytest.mark.parametrize(
    ("text", "terms", "marks"),
    [
        ("The River, a river", [term("river")], ["River", "river"]),
        ("Crème brûlée", [term("brulee")], ["brûlée"]),
        ("Straße", [term("strasse")], ["Straße"]),
        ("a black forest, forest black", [term("black", "forest")], ["black forest"]),
        ("rain rainy train", [term("rain", kind=ClauseKind.PREFIX)], ["rain", "rainy"]),
        ("#sun sun", [term("#sun", kind=ClauseKind.MARKED)], ["#sun"]),
        ("#sun sun", [term("sun")], ["sun", "sun"]),
        ("by @nat.geo.", [term("@nat.geo", kind=ClauseKind.MARKED)], ["@nat.geo"]),
        ("東京タワー", [term("京タ", "タワ")], ["京タワ"]),
        ("東京タワー", [term("京")], ["京"]),
        ("fire 🔥🔥", [term("🔥")], ["🔥🔥"]),
        ("sea and ice", [term("sea"), term("ice", is_excluded=True)], ["sea"]),
        ("nothing", [term("river")], []),
        ("", [term("river")], []),
    ],
)
def test_matches_are_marked_where_they_stand(
    text: str, terms: list[Term], marks: list[str]
) -> None:
    assert marked(text, *terms) == marks


def test_a_long_text_is_cut_around_its_first_match() -> None:
    text = "before " * 100 + "river " + "after " * 100
    snippet = snippet_of(text, [term("river")])
    assert len(snippet.text) <= LENGTH and snippet.is_cut_before and snippet.is_cut_after
    assert marked(text, term("river")) == ["river"]
    assert snippet.text.startswith("before") and not snippet.text.endswith("aft")


def test_a_text_of_ten_megabytes_is_cut_at_once() -> None:
    snippet = snippet_of("word " * 2_000_000, [term("word")])
    assert len(snippet.text) <= LENGTH and snippet.is_cut_after


@given(st.text(max_size=600), st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=3))
def test_marks_lie_in_the_text_in_order_and_apart(text: str, words: list[str]) -> None:
    snippet = snippet_of(text, [term(*words), term(words[0], kind=ClauseKind.PREFIX)])
    place = 0
    for begin, end in snippet.marks:
        assert place <= begin < end <= len(snippet.text)
        place = end + 1
    assert snippet.text in text
