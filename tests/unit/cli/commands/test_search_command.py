"""What `social-assets search` prints of what is found."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest

from social_assets.cli.commands.search import _print_csv, _print_table
from social_assets.serving.search.found import FoundDocument, FoundDocuments, Snippet

FOUND = FoundDocument(
    kind="post",
    platform="X",
    document_id="p1",
    account_id="7",
    post_id="p1",
    written_at=datetime(2026, 3, 2, 9, 5, tzinfo=UTC),
    snippet=Snippet("a river\nwalk", ((2, 7),), is_cut_before=False, is_cut_after=True),
    score=None,
    label=None,
    relevance=1.5,
    engagement=None,
)


def test_a_match_is_in_brackets_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    _print_table(FoundDocuments((FOUND,), None, 41, is_total_exact=True, ranked=None))
    shown = capsys.readouterr().out
    assert "a [river] walk …" in shown
    assert "1 of 41 matches" in shown


def test_a_search_that_finds_nothing_says_what_to_try(capsys: pytest.CaptureFixture[str]) -> None:
    _print_table(FoundDocuments((), None, 0, is_total_exact=True, ranked=None))
    assert capsys.readouterr().out == (
        "nothing is found; use fewer words, a longer range, or begin* for words that begin so\n"
    )


def test_csv_keeps_the_text_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    _print_csv(FoundDocuments((FOUND,), None, 1, is_total_exact=True, ranked=None))
    header, row = csv.reader(io.StringIO(capsys.readouterr().out))
    assert (header[-1], row[-1]) == ("text", "a river\nwalk")
