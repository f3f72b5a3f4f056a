"""A search from the texts that people write: in a URL or on a command line.

Belongs here: reading them. What may be searched for is checked by `question`.
"""

from __future__ import annotations

from datetime import datetime

from social_assets.control.accounts import Account, AccountNameError
from social_assets.metrics.planner.question import EARLIEST, LATEST, QuestionError
from social_assets.metrics.planner.read_question import Texts, read_range, read_zone
from social_assets.serving.search.question import (
    MOST_ACCOUNTS,
    MOST_ROWS,
    Search,
    SearchError,
    SearchTexts,
    checked_kinds,
    checked_labels,
    checked_order,
    checked_platforms,
    clauses_of,
)


def read_search(texts: SearchTexts, now: datetime) -> Search:
    """The search that the texts ask for at a moment. Raises SearchError."""
    start, end = _range(texts, now)
    if not 1 <= texts.limit <= MOST_ROWS:
        raise SearchError(
            "limit", f"a page of {texts.limit} is not given", f"Ask for 1 to {MOST_ROWS}."
        )
    return Search(
        clauses=clauses_of(texts.q),
        platforms=checked_platforms(texts.platforms),
        kinds=checked_kinds(texts.kinds),
        labels=checked_labels(texts.labels),
        start=start,
        end=end,
        accounts=_accounts(texts.accounts),
        order=checked_order(texts.order or "relevance"),
        limit=texts.limit,
    )


def _range(texts: SearchTexts, now: datetime) -> tuple[datetime | None, datetime | None]:
    """The range, whose last day is included; without any text, all time."""
    if not (texts.start or texts.end or texts.range):
        return None, None
    asked = Texts((), start=texts.start, end=texts.end, range=texts.range)
    try:
        start, end = read_range(asked, read_zone(texts.zone or "UTC"), now)
    except QuestionError as error:
        raise SearchError(error.parameter, error.problem, "Correct the range.") from error
    if start >= end:
        raise SearchError("from", "the range ends before it begins", "Exchange from and to.")
    if start < EARLIEST or end > LATEST:
        raise SearchError(
            "from", f"the range leaves {EARLIEST:%Y} to {LATEST:%Y}", "Ask for a shorter range."
        )
    return start, end


def _accounts(texts: tuple[str, ...]) -> frozenset[Account] | None:
    if not texts:
        return None
    if len(texts) > MOST_ACCOUNTS:
        raise SearchError(
            "account", f"{len(texts):,} accounts are named", f"Name {MOST_ACCOUNTS} at most."
        )
    try:
        return frozenset(Account.parse(text) for text in texts)
    except AccountNameError as error:
        raise SearchError(
            "account", str(error), "Write PLATFORM:ID, such as instagram:1024."
        ) from error
