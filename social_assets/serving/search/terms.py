"""The clauses of a search as tokens of the index.

Belongs here: turning words into tokens, with the SQL that made those of the table, and the words
that begin alike. Which documents have them is found by `ask`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from social_assets.serving.search.question import SIGNS, Clause, ClauseKind
from social_assets.warehouse.search_tables import (
    DOCUMENTS,
    INDEX,
    folded,
    marked,
    pair_token,
    plain_words,
    words,
)

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

MOST_BEGINNING = 50
"""Words that a prefix stands for: the most frequent ones."""

_DATABASE, _, _TABLE = DOCUMENTS.partition(".")
_TOKENS = (
    f"SELECT {words('plain')}, {marked('plain')} FROM (\n"
    f"  SELECT number, {folded('{texts:Array(String)}[number]')} AS plain\n"
    "  FROM (SELECT arrayJoin(arrayEnumerate({texts:Array(String)})) AS number))\n"
    "ORDER BY number"
)
_BEGINNING = (
    "SELECT token, sum(cardinality) AS n\n"
    f"FROM mergeTreeTextIndex({_DATABASE}, {_TABLE}, {INDEX})\n"
    "WHERE startsWith(token, {prefix:String})\n"
    f"GROUP BY token ORDER BY n DESC, token LIMIT {MOST_BEGINNING + 1}"
)


@dataclass(frozen=True)
class Term:
    """A clause as tokens.

    A document has all of `tokens`, and one of `any_of` if there are some. `in_order` are its words
    as they follow each other, which the tokens of pairs say with a small error.
    """

    clause: Clause
    in_order: tuple[str, ...]
    tokens: tuple[str, ...]
    any_of: tuple[str, ...] = ()
    is_cut: bool = False
    """Whether more words begin so than are looked for."""

    @property
    def is_phrase(self) -> bool:
        """Whether words must follow one another."""
        return self.clause.kind is ClauseKind.WORDS and len(self.in_order) > 1


@dataclass(frozen=True)
class _Words:
    """The words of a clause, and its hashtags and mentions."""

    in_order: tuple[str, ...]
    signs: tuple[str, ...]


def terms_of(client: Client, clauses: Sequence[Clause]) -> list[Term]:
    """The clauses that have a word, as terms."""
    made = (
        _term(client, clause, divided)
        for clause, divided in zip(clauses, _divided(client, clauses), strict=True)
    )
    return [term for term in made if term is not None]


def _divided(client: Client, clauses: Sequence[Clause]) -> list[_Words]:
    """The words of each clause. Most need no query: it takes ClickHouse some 40 ms to compile."""
    if not any(clause.text[0] in SIGNS for clause in clauses):
        plain = [plain_words(clause.text) for clause in clauses]
        known = [_Words(tuple(found), ()) for found in plain if found is not None]
        if len(known) == len(clauses):
            return known
    rows = client.query(
        _TOKENS, parameters={"texts": [clause.text for clause in clauses]}
    ).result_rows
    return [_Words(tuple(in_order), tuple(signs)) for in_order, signs in rows]


def _neighbours(in_order: Sequence[str]) -> tuple[str, ...]:
    return tuple(map(pair_token, in_order, in_order[1:]))


def _term(client: Client, clause: Clause, divided: _Words) -> Term | None:
    in_order, signs = divided.in_order, divided.signs
    if not in_order:
        return None
    if clause.kind is ClauseKind.MARKED and signs:
        return Term(clause, signs[:1], signs[:1])
    if clause.kind is not ClauseKind.PREFIX:
        return Term(clause, in_order, (*in_order, *_neighbours(in_order)))
    # The last word is the beginning of one; those before it are whole.
    prefix = signs[0] if len(in_order) == 1 and signs else in_order[-1]
    found = client.query(_BEGINNING, parameters={"prefix": prefix}).result_rows
    any_of = tuple(token for token, _ in found[:MOST_BEGINNING])
    whole = in_order[:-1]
    return Term(
        clause,
        (*whole, prefix),
        (*whole, *_neighbours(whole)),
        # A word that no document has: the prefix matches nothing.
        any_of or (prefix,),
        is_cut=len(found) > MOST_BEGINNING,
    )
