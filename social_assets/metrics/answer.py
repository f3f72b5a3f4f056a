"""The answer to a question: groups, buckets, values, and where they come from.

Belongs here: the values and how a group is named. Asking belongs to `ask`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from social_assets.metrics.answer_invariants import NOT_CHECKED, AnswerInvariants
from social_assets.metrics.formula import Additivity
from social_assets.metrics.freshness import UNKNOWN_FRESHNESS, AnswerFreshness
from social_assets.metrics.measure import (
    RELATIVE_ERROR_OF_DISTINCT,
    RELATIVE_ERROR_OF_QUANTILES,
)
from social_assets.metrics.metric import Metric
from social_assets.metrics.planner.question import Question

OTHERS = "others"
"""How the groups beyond the limit are named together."""

Value = float | int | None


@dataclass(frozen=True)
class Row:
    """One bucket of one group."""

    bucket: datetime | None
    """Its begin, in UTC; None if the whole range is one bucket."""
    group: tuple[str, ...]
    """A label for each dimension of the question."""
    values: tuple[Value, ...]
    """A value for each metric; None where it does not exist, such as a ratio by zero."""
    compared: tuple[Value, ...] = ()
    """The values in the compared range; empty if nothing is compared."""

    def changes(self) -> tuple[float | None, ...]:
        """The change of each value in parts of the compared one: above zero if the value rose."""
        return tuple(
            None if now is None or not before else (now / before - 1) * (-1 if before < 0 else 1)
            for now, before in zip(self.values, self.compared, strict=False)
        )


@dataclass(frozen=True)
class Answer:
    """The rows of an answer, and what it took to read them."""

    question: Question
    metrics: tuple[Metric, ...]
    rows: tuple[Row, ...]
    tables: tuple[str, ...]
    """The tables that answered, in the order of their grain."""
    rows_read: int
    seconds: float
    asked_at: datetime
    freshness: AnswerFreshness = UNKNOWN_FRESHNESS
    """How new the rows are, and which of the days asked are incomplete."""
    invariants: AnswerInvariants = NOT_CHECKED
    """Whether nothing was lost or doubled on the days asked."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the numbers must know: errors, gaps to native figures, pending days."""
        found = []
        approximate = [m.name for m in self.metrics if m.additivity is Additivity.FROM_STATES]
        if approximate:
            error = max(RELATIVE_ERROR_OF_DISTINCT, RELATIVE_ERROR_OF_QUANTILES)
            found.append(
                f"{', '.join(approximate)}: right to {error:.0%}; values of parts are not summed"
            )
        for each in self.metrics:
            if each.native is not None:
                native = each.native
                found.append(f"{each.name} and {native.metric} differ: {native.why_it_differs}")
        return (*found, *self.freshness.notes())
