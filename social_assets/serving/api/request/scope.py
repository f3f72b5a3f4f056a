"""What a caller may see and change: questions and conditions restricted to its accounts.

Belongs here: the restriction, in one place for all paths. An account outside of it answers exactly
like one that does not exist, at the same cost: it is taken out before anything is asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from social_assets.metrics.planner.question import Question
from social_assets.serving.callers import Caller
from social_assets.serving.problems import ProblemError

_ACCOUNT = "account"


def check_may_write(caller: Caller) -> None:
    """Raise ProblemError for a key that may only read."""
    if not caller.may_write:
        raise ProblemError(
            403,
            f"the key {caller.name} may only read",
            "Use a key of `social-assets keys create --role write`.",
        )


def scoped(question: Question, caller: Caller) -> Question:
    """The question, about the caller's accounts only."""
    if caller.accounts is None:
        return question
    named = [set(each.values) for each in question.where if each.dimension == _ACCOUNT]
    pairs = sorted(
        (each.platform, each.account_id)
        for each in caller.accounts
        if all(each.account_id in values for values in named)
    )
    return replace(question, accounts=tuple(pairs))


@dataclass(frozen=True)
class Condition:
    """A condition of SQL, and its parameters."""

    sql: str
    parameters: dict[str, list[str]]


def visible(caller: Caller, platform: str, account_id: str) -> Condition:
    """Which rows a caller may see, by the SQL of a row's platform and account."""
    if caller.accounts is None:
        return Condition("1", {})
    pairs = sorted((each.platform, each.account_id) for each in caller.accounts)
    return Condition(
        f"(toString({platform}), toString({account_id})) IN"
        " (SELECT arrayJoin(arrayZip({scope_platforms:Array(String)},"
        " {scope_accounts:Array(String)})))",
        {
            "scope_platforms": [platform for platform, _ in pairs],
            "scope_accounts": [account for _, account in pairs],
        },
    )
