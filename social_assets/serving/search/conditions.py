"""Conditions of SQL: which documents match a search.

Belongs here: the tokens that the index is asked for. Filters are tokens as words are, so that one
look-up answers all of them; only the range is a condition on the order of the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from social_assets.control.accounts import Account
from social_assets.serving.search.question import Search
from social_assets.serving.search.terms import Term
from social_assets.warehouse.search_tables import filter_token


@dataclass
class TokenCondition:
    """Parts that all must hold, and their parameters, whose names begin alike."""

    name: str = "is"
    parts: list[str] = field(default_factory=list)
    parameters: dict[str, list[str] | str] = field(default_factory=dict)

    @property
    def sql(self) -> str:
        """The parts as one condition."""
        return " AND ".join(self.parts) or "1"

    def add(self, function: str, tokens: Iterable[str], negation: str = "") -> None:
        """Ask the index for tokens."""
        name = f"{self.name}_{len(self.parameters)}"
        self.parameters[name] = list(tokens)
        self.parts.append(f"{negation}{function}(tokens, {{{name}:Array(String)}})")

    def add_time(self, sign: str, at: datetime | str) -> None:
        """Ask for a time: `>=`, `<` or `<=` it."""
        name = f"{self.name}_{len(self.parameters)}"
        text = at if isinstance(at, str) else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
        self.parameters[name] = text
        time = f"toDateTime64({{{name}:String}}, 6, 'UTC')"
        self.parts.append(f"event_time {sign} {time} AND event_date {sign[0]}= toDate({time})")


def condition_of(search: Search, terms: Sequence[Term]) -> TokenCondition:
    """The documents that match."""
    condition = TokenCondition()
    wanted = [term for term in terms if not term.clause.is_excluded]
    needed = [token for term in wanted for token in term.tokens]
    one_of = [term.any_of for term in wanted if term.any_of]
    for tokens in _filters(search):
        if len(tokens) == 1:
            needed += tokens
        else:
            one_of.append(tokens)
    if needed:
        condition.add("hasAllTokens", dict.fromkeys(needed))
    for tokens in one_of:
        condition.add("hasAnyTokens", tokens)
    for term in terms:
        if term.clause.is_excluded:
            _exclude(condition, term)
    if search.start is not None:
        condition.add_time(">=", search.start)
    if search.end is not None:
        condition.add_time("<", search.end)
    return condition


def account_tokens(accounts: Iterable[Account]) -> tuple[str, ...]:
    """The tokens of accounts."""
    return tuple(
        filter_token("account", each.platform, each.account_id) for each in sorted(accounts)
    )


def _filters(search: Search) -> list[tuple[str, ...]]:
    """The tokens of each filter, of which a document has one."""
    named = (("platform", search.platforms), ("kind", search.kinds), ("label", search.labels))
    found = [tuple(filter_token(name, value) for value in values) for name, values in named]
    if search.accounts is not None:
        found.append(account_tokens(search.accounts))
    return [tokens for tokens in found if tokens]


def _exclude(condition: TokenCondition, term: Term) -> None:
    if not term.any_of:
        condition.add("hasAllTokens", term.tokens, "NOT ")
        return
    if not term.tokens:
        condition.add("hasAnyTokens", term.any_of, "NOT ")
        return
    both = TokenCondition(f"{condition.name}_{len(condition.parameters)}")
    both.add("hasAllTokens", term.tokens)
    both.add("hasAnyTokens", term.any_of)
    condition.parts.append(f"NOT ({both.sql})")
    condition.parameters |= both.parameters
