"""The text of a search as clauses, and what is refused with a remedy."""

from __future__ import annotations

import pytest

from social_assets.serving.search.question import (
    MOST_CLAUSES,
    Clause,
    ClauseKind,
    SearchError,
    checked_platforms,
    clauses_of,
)

WORDS, PREFIX, MARKED = ClauseKind.WORDS, ClauseKind.PREFIX, ClauseKind.MARKED


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("river", (Clause(WORDS, "river"),)),
        ("river  walk", (Clause(WORDS, "river"), Clause(WORDS, "walk"))),
        ('"black forest"', (Clause(WORDS, "black forest"),)),
        ("\u201eblack forest\u201c", (Clause(WORDS, "black forest"),)),
        ("rain*", (Clause(PREFIX, "rain"),)),
        ("#sun #sun*", (Clause(MARKED, "#sun"), Clause(PREFIX, "#sun"))),
        ("@a.b", (Clause(MARKED, "@a.b"),)),
        ("sea -cold", (Clause(WORDS, "sea"), Clause(WORDS, "cold", is_excluded=True))),
        ('sea -"ice cold"', (Clause(WORDS, "sea"), Clause(WORDS, "ice cold", is_excluded=True))),
        ("well-known", (Clause(WORDS, "well-known"),)),
        ('sea "" -', (Clause(WORDS, "sea"),)),
        ("\u6771*", (Clause(PREFIX, "\u6771"),)),
    ],
)
def test_a_text_is_read_as_clauses(text: str, clauses: tuple[Clause, ...]) -> None:
    assert clauses_of(text) == clauses


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "has no word"),
        ('""', "has no word"),
        ("-cold", "leave out"),
        ('say "hello', "no partner"),
        ("*", "begins too many words"),
        ("#*", "begins too many words"),
        ("a*", "begins too many words"),
        ("a\0b", "no text has"),
        ("\ud800", "no text has"),
        ("x" * 10_000, "10,000 characters"),
        ("w " * (MOST_CLAUSES + 1), "too many"),
    ],
)
def test_what_cannot_be_searched_is_refused_with_a_remedy(text: str, problem: str) -> None:
    with pytest.raises(SearchError, match=problem) as refused:
        clauses_of(text)
    assert refused.value.parameter == "q" and refused.value.remedy.endswith(".")


def test_platforms_are_spelt_as_in_the_warehouse() -> None:
    assert checked_platforms(("twitter", "X", "insta")) == ("X", "Instagram")
    with pytest.raises(SearchError, match="'myspace' is no platform"):
        checked_platforms(("myspace",))
