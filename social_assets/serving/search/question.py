"""What a person types into a search, as clauses: words, phrases, prefixes, hashtags, mentions.

Belongs here: reading the text and the filters, and refusing what cannot be searched. How words
become tokens belongs to `warehouse.search_tables`, finding documents to `ask`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from social_assets.control.accounts import Account
from social_assets.warehouse.search_tables import KINDS, LABELS

LONGEST_TEXT = 1_000
MOST_CLAUSES = 20
MOST_ACCOUNTS = 100
MOST_ROWS = 100

SIGNS = "#@\uff03\uff20"
"""What begins a hashtag or a mention; the last two are wide ones."""
_QUOTES = str.maketrans(dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb\uff02", '"'))
_CLAUSE = re.compile(r'(?P<minus>-?)(?:"(?P<phrase>[^"]*)"|(?P<plain>[^\s"]+))')


class SearchError(ValueError):
    """A search that cannot be made: which parameter is wrong, why, and what to do."""

    def __init__(self, parameter: str, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.parameter = parameter
        self.problem = problem
        self.remedy = remedy


class ClauseKind(Enum):
    """How a clause is found."""

    WORDS = "words"
    """Its words stand one after another. A single word is the usual case."""
    PREFIX = "prefix"
    """A word begins with its last one."""
    MARKED = "marked"
    """A hashtag or a mention."""


@dataclass(frozen=True)
class Clause:
    """A part of a search. A document has every clause, and none that is excluded."""

    kind: ClauseKind
    text: str
    is_excluded: bool = False


class Order(Enum):
    """Which documents come first."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    ENGAGEMENT = "engagement"


@dataclass(frozen=True)
class Search:
    """A search. Empty filters stand for all; `accounts` None too."""

    clauses: tuple[Clause, ...]
    platforms: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    """The first instant that is not included."""
    accounts: frozenset[Account] | None = None
    scope: frozenset[Account] | None = None
    """The accounts that the caller may see: no other text counts anywhere. None: all."""
    order: Order = Order.RELEVANCE
    limit: int = 20


@dataclass(frozen=True)
class SearchTexts:
    """The texts of a search as people write them."""

    q: str
    platforms: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    start: str = ""
    end: str = ""
    range: str = ""
    zone: str = ""
    order: str = ""
    limit: int = field(default=20)


def clauses_of(text: str) -> tuple[Clause, ...]:
    """The clauses of a text. Raises SearchError."""
    _check_text(text)
    plain = text.translate(_QUOTES)
    if plain.count('"') % 2:
        raise SearchError("q", "a quotation mark has no partner", 'Close the phrase: "two words".')
    found = tuple(
        clause for match in _CLAUSE.finditer(plain) if (clause := _clause(match)) is not None
    )
    if len(found) > MOST_CLAUSES:
        raise SearchError(
            "q",
            f"{len(found)} words and phrases are too many",
            f"Search for {MOST_CLAUSES} at most.",
        )
    if not any(not clause.is_excluded for clause in found):
        problem = "only says what to leave out" if found else "has no word to search for"
        raise nothing_to_find(problem)
    return found


def nothing_to_find(problem: str = "has no word to search for") -> SearchError:
    """The error of a text in which nothing can be found."""
    return SearchError("q", f"the search {problem}", "Name a word, a #hashtag or a @mention.")


def checked_kinds(values: tuple[str, ...]) -> tuple[str, ...]:
    """Kinds of documents. Raises SearchError."""
    return _known("kind", values, KINDS)


def checked_labels(values: tuple[str, ...]) -> tuple[str, ...]:
    """Labels of sentiment. Raises SearchError."""
    return _known("sentiment", values, LABELS)


def checked_order(value: str) -> Order:
    """An order. Raises SearchError."""
    names = tuple(each.value for each in Order)
    return Order(_known("sort", (value,), names)[0])


def checked_platforms(values: tuple[str, ...]) -> tuple[str, ...]:
    """Platforms as the warehouse spells them. Raises SearchError for one that no stream knows."""
    from social_assets.contracts.vocabulary import PLATFORM

    known = PLATFORM.lookup()
    names = sorted(PLATFORM.canonical)
    found = []
    for value in values:
        name = known.get(value.strip().casefold()) if value.strip() else None
        if name is None:
            raise SearchError(
                "platform",
                f"{value[:100]!r} is no platform",
                f"Name one of {', '.join(names)}.",
            )
        found.append(name)
    return tuple(dict.fromkeys(found))


def _known(parameter: str, values: tuple[str, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        if value not in known:
            raise SearchError(
                parameter,
                f"{parameter} {value[:100]!r} is unknown",
                f"Name one of {', '.join(known)}.",
            )
    return tuple(dict.fromkeys(values))


def _check_text(text: str) -> None:
    if len(text) > LONGEST_TEXT:
        raise SearchError(
            "q",
            f"the search has {len(text):,} characters",
            f"Search for {LONGEST_TEXT:,} characters at most.",
        )
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise SearchError(
            "q",
            "the search has a character that no text has",
            "Remove NUL and halves of surrogate pairs.",
        )


def _clause(match: re.Match[str]) -> Clause | None:
    is_excluded = bool(match["minus"])
    if match["phrase"] is not None:
        text = match["phrase"].strip()
        return Clause(ClauseKind.WORDS, text, is_excluded) if text else None
    text = match["plain"]
    if text.endswith("*"):
        return _prefix(text.rstrip("*"), is_excluded=is_excluded)
    if text[0] in SIGNS and len(text) > 1:
        return Clause(ClauseKind.MARKED, text, is_excluded)
    return Clause(ClauseKind.WORDS, text, is_excluded) if text.strip("-") else None


def _prefix(text: str, *, is_excluded: bool) -> Clause:
    letters = text.lstrip(SIGNS)
    if len(letters) < 2 and letters.isascii():
        raise SearchError(
            "q",
            f"{text}* begins too many words",
            "Write two letters or more before the *, as in rain*.",
        )
    return Clause(ClauseKind.PREFIX, text, is_excluded)
