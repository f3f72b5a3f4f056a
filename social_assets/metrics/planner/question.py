"""A question about metrics, and what makes it unanswerable.

Belongs here: the values and their checks. Reading a question from texts (a command line, a URL)
belongs to `read_question`; how it is answered to the rest of the planner.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from zoneinfo import ZoneInfo

from social_assets.metrics.dimension import Dimension, TimePart
from social_assets.metrics.formula import AsReported
from social_assets.metrics.grain import ANSWERED, Grain
from social_assets.metrics.metric import Metric, Subject
from social_assets.metrics.registry import UnknownMetricError, metric, subject_of

LONGEST_RANGE = timedelta(days=366 * 30)
EARLIEST, LATEST = datetime(1970, 1, 2, tzinfo=UTC), datetime(2105, 12, 31, tzinfo=UTC)
"""What the warehouse's types of time can hold (`DateTime`, 32 bits)."""
MOST_BUCKETS = 10_000
MOST_GROUPS = 10_000
MOST_ACCOUNTS = 10_000
MOST_VALUES = 1_000
"""The longest list of values of one filter."""


OF_ACCOUNTS = ("platform", "account")
"""The dimensions that name an account."""


class QuestionError(ValueError):
    """A question that has no answer: which parameter, why, and what to ask instead."""

    def __init__(self, parameter: str, problem: str) -> None:
        super().__init__(f"{parameter}: {problem}")
        self.parameter = parameter
        self.problem = problem


class ComparedRange(Enum):
    """What a range is compared with."""

    PREVIOUS = "previous"
    """The period before it, of the same length."""
    YEAR = "year"
    """The same dates of the year before."""


@dataclass(frozen=True)
class Filter:
    """Only rows in which the dimension has one of the values."""

    dimension: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """Which metrics, of which rows, divided how. `start` is in the range, `end` is not."""

    metrics: tuple[str, ...]
    start: datetime
    end: datetime
    grain: Grain = Grain.TOTAL
    by: tuple[str, ...] = ()
    where: tuple[Filter, ...] = ()
    zone: str = "UTC"
    compare: ComparedRange | None = None
    order_by: str | None = None
    """The metric that orders the groups; the first one by default."""
    is_ascending: bool = False
    limit: int = 1_000
    """The greatest number of groups; buckets of time are not limited."""
    with_others: bool = False
    """Whether the groups beyond the limit are answered as one, `others`."""
    accounts: tuple[tuple[str, str], ...] | None = None
    """Only these accounts, each a platform and the platform's id; None: all."""

    @property
    def time_zone(self) -> ZoneInfo:
        """The zone in which days begin."""
        return ZoneInfo(self.zone)

    @property
    def ordering(self) -> str:
        """The metric that orders the groups."""
        return self.order_by or self.metrics[0]


def check(question: Question) -> None:
    """Raise QuestionError for a question that has no answer, whatever the data."""
    _check_metrics(question)
    _check_range(question)
    if not 1 <= question.limit <= MOST_GROUPS:
        raise QuestionError("limit", f"must be 1 to {MOST_GROUPS:,}, not {question.limit}")
    if question.compare is not None:
        _check_compared(question)
    for each in question.where:
        if not each.values:
            raise QuestionError(each.dimension, "names no value; leave the filter out for all")
        if len(each.values) > MOST_VALUES:
            raise QuestionError(
                each.dimension,
                f"names {len(each.values):,} values; at most {MOST_VALUES:,} fit a question: "
                "divide it, or ask by this dimension without the filter",
            )
    for subject in subjects_of(question):
        for each in question.where:
            _check_part(subject.dimension(each.dimension), each)
        for parameter, names in (("by", question.by), ("where", _filtered(question))):
            for name in names:
                _known_dimension(subject, name, parameter)
    if question.accounts is not None:
        _check_accounts(question, question.accounts)
    for name in question.metrics:
        _check_reported(question, metric(name))


def subjects_of(question: Question) -> tuple[Subject, ...]:
    """The subjects of the question's metrics; that of the ordering metric first."""
    names = (question.ordering, *question.metrics)
    return tuple(dict.fromkeys(subject_of(name) for name in names))


def metrics_of(question: Question, subject: Subject) -> tuple[Metric, ...]:
    """The question's metrics that belong to a subject, in the question's order."""
    return tuple(metric(name) for name in question.metrics if subject_of(name) is subject)


def _filtered(question: Question) -> tuple[str, ...]:
    return tuple(each.dimension for each in question.where)


def _check_accounts(question: Question, accounts: tuple[tuple[str, str], ...]) -> None:
    if len(accounts) > MOST_ACCOUNTS:
        raise QuestionError(
            "accounts",
            f"are {len(accounts):,}; at most {MOST_ACCOUNTS:,} fit a question: divide it",
        )
    for subject in subjects_of(question):
        if any(subject.dimension(name) is None for name in OF_ACCOUNTS):
            raise QuestionError(
                "metrics",
                f"metrics of {subject.name} are not known by account, and the question is about "
                "certain accounts only; ask for metrics of posts, such as likes or reach",
            )


def _check_metrics(question: Question) -> None:
    if not question.metrics:
        raise QuestionError("metrics", "names no metric; `social-assets metrics` lists all")
    for parameter, names in (("metrics", question.metrics), ("order_by", (question.ordering,))):
        for name in names:
            try:
                metric(name)
            except UnknownMetricError as error:
                raise QuestionError(parameter, str(error)) from None
    if question.ordering not in question.metrics:
        raise QuestionError(
            "order_by",
            f"{question.ordering} is not among the metrics asked: {', '.join(question.metrics)}",
        )


def _check_range(question: Question) -> None:
    if question.grain not in ANSWERED:
        known = ", ".join(each.word for each in ANSWERED)
        raise QuestionError("grain", f"must be one of {known}")
    if question.start >= question.end:
        raise QuestionError(
            "from", f"{question.start} is not before the end of the range, {question.end}"
        )
    for parameter, at in (("from", question.start), ("to", question.end)):
        if not EARLIEST <= at <= LATEST:
            raise QuestionError(
                parameter, f"{at:%Y-%m-%d} is not between {EARLIEST:%Y-%m-%d} and {LATEST:%Y-%m-%d}"
            )
    if question.end - question.start > LONGEST_RANGE:
        raise QuestionError("from", "the range is longer than 30 years; ask for a shorter one")
    if question.start > datetime.now(UTC) + timedelta(days=1):
        raise QuestionError("from", f"{question.start} lies in the future, where no event is yet")


def _check_compared(question: Question) -> None:
    longest = question.end - question.start
    before = timedelta(days=366) if question.compare is ComparedRange.YEAR else longest
    if question.start - EARLIEST < before + timedelta(days=2):
        raise QuestionError(
            "compare", f"the range before it begins earlier than {EARLIEST:%Y-%m-%d}"
        )


def _known_dimension(subject: Subject, name: str, parameter: str) -> Dimension:
    found = subject.dimension(name)
    if found is None:
        known = ", ".join(each.name for each in subject.dimensions)
        raise QuestionError(
            parameter,
            f"metrics of {subject.name} are not known by {name!r}; they are known by {known}",
        )
    return found


def _check_part(dimension: Dimension | None, asked: Filter) -> None:
    if isinstance(dimension, TimePart):
        for value in asked.values:
            if value != str(int(value) if value.isascii() and value.isdigit() else None):
                raise QuestionError(
                    "where", f"{dimension.name} is a number without leading zeros, not {value!r}"
                )


def _check_reported(question: Question, asked: Metric) -> None:
    """A platform's own figure can't be had for other members or periods than it reports."""
    formula = asked.formula
    if not isinstance(formula, AsReported):
        if question.grain not in asked.grains:
            known = ", ".join(each.word for each in asked.grains)
            raise QuestionError(
                "grain", f"{asked.name} is known by {known}, not by {question.grain.word}"
            )
        return
    single = {each.dimension for each in question.where if len(each.values) == 1}
    missing = [name for name in formula.by if name not in question.by and name not in single]
    if missing or question.grain is not Grain.DAY or question.zone != "UTC":
        raise QuestionError(
            "metrics",
            f"{asked.name} is the platform's figure of a {' and '.join(formula.by)} on a UTC day; "
            "values of days or members are not summed, since they count the same people. "
            f"Ask --by {','.join(formula.by)} --grain day, or ask for reach or unique_users",
        )
