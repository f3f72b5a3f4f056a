"""BM25 over the newest matches of a search.

Belongs here: the weights of words and the query that ranks. How many texts have a word is counted
in the index, in the texts that the caller may see; how often a text has it, and how long it is, are
columns of the table.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from social_assets.serving.search.conditions import TokenCondition, account_tokens
from social_assets.serving.search.places import BY_TIME, PLACE, Match, by_rank
from social_assets.serving.search.question import ClauseKind, Search
from social_assets.serving.search.terms import Term
from social_assets.warehouse.search_tables import DOCUMENTS

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

MOST_RANKED = 500
"""The newest matches that are ordered by relevance."""
_SAMPLE = 10_000
"""The newest documents whose mean length stands for that of all."""
_K1, _B = 1.2, 0.75
"""The usual constants of BM25."""


@dataclass(frozen=True)
class _Weights:
    """How much each word counts: rare ones more. `of_others` are prefixes, tags and mentions."""

    of_words: dict[str, float]
    of_others: tuple[float, ...]
    mean_words: float


def by_relevance(
    client: Client, search: Search, terms: Sequence[Term], condition: TokenCondition
) -> list[Match]:
    """The newest matches, the most relevant one first."""
    weights = _weights(client, search, [t for t in terms if not t.clause.is_excluded])
    parameters = dict(condition.parameters)
    norm = f"{_K1} * ({1 - _B} + {_B} * words / {weights.mean_words:.6f})"
    parts = []
    for number, (word, weight) in enumerate(weights.of_words.items()):
        parameters[f"word_{number}"] = word
        times = f"(1 + countEqual(repeated, {{word_{number}:String}}))"
        parts.append(f"{weight:.9f} * {times} * {_K1 + 1} / ({times} + {norm})")
    parts += [f"{weight:.9f} * {_K1 + 1} / (1 + {norm})" for weight in weights.of_others]
    rows = client.query(
        f"SELECT {PLACE}, {' + '.join(parts)} AS relevance\n"
        f"FROM {DOCUMENTS} WHERE {condition.sql}\n"
        f"ORDER BY {BY_TIME} LIMIT {MOST_RANKED}",
        parameters=parameters,
    ).result_rows
    return by_rank([Match(*row) for row in rows])


def _weights(client: Client, search: Search, wanted: Sequence[Term]) -> _Weights:
    """By how many documents have each word, of those that the caller may see."""
    of_words = dict.fromkeys(
        word for term in wanted if term.clause.kind is ClauseKind.WORDS for word in term.in_order
    )
    others = [
        term.any_of or term.tokens for term in wanted if term.clause.kind is not ClauseKind.WORDS
    ]
    seen = TokenCondition("seen")
    if search.scope is not None:
        seen.add("hasAnyTokens", account_tokens(search.scope))
    parameters = dict(seen.parameters)
    counts = [
        f"SELECT toFloat64(count()) AS n, 0 AS nth FROM {DOCUMENTS} WHERE {seen.sql}",
        f"SELECT avg(words), 1 FROM (SELECT words FROM {DOCUMENTS} ORDER BY {BY_TIME}"
        f" LIMIT {_SAMPLE})",
    ]
    for tokens in [*((word,) for word in of_words), *others]:
        having = TokenCondition(f"having_{len(counts)}", [*seen.parts])
        having.add("hasAnyTokens", tokens)
        parameters |= having.parameters
        counts.append(f"SELECT count(), {len(counts)} FROM {DOCUMENTS} WHERE {having.sql}")
    rows = client.query(
        f"SELECT n FROM ({' UNION ALL '.join(counts)}) ORDER BY nth", parameters=parameters
    ).result_rows
    total, mean, *found = (float(n) for (n,) in rows)
    weights = [math.log(1 + (total - n + 0.5) / (n + 0.5)) for n in found]
    # Without documents it is NaN.
    mean_words = mean if mean > 0 else 1.0
    of_others = tuple(weights[len(of_words) :])
    return _Weights(dict(zip(of_words, weights, strict=False)), of_others, mean_words)
