"""What an experiment is: variants, how units are divided, what is measured, and when it ends.

Belongs here: the declaration's types and their check. Who gets which variant belongs to
`assignment`, finding the declarations to `registry`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

from social_assets.metrics.formula import Distinct, Formula, Ratio, Total, Weighted
from social_assets.metrics.measure import Aggregate
from social_assets.metrics.metric import Subject
from social_assets.metrics.registry import UnknownMetricError, metric, subject_of

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_BY_UNIT = (Total, Weighted, Distinct)


class ExperimentError(ValueError):
    """An experiment is declared wrongly; the text names it and what to change."""


class Unit(Enum):
    """Who gets a variant: the column of exposures with its id, and the key of it in facts."""

    USER = ("user_id", "user_key")
    ACCOUNT = ("account_id", "account_key")

    @property
    def id_column(self) -> str:
        """The column of exposures."""
        return self.value[0]

    @property
    def key_column(self) -> str:
        """The column of facts: the MD5 of the id."""
        return self.value[1]


@dataclass(frozen=True)
class Variant:
    """One of the things that are compared."""

    name: str
    weight: float = 1.0
    """Its part of the units, beside the weights of the others."""
    model: str = ""
    """The recommender's model that it shows, if the experiment compares models."""


@dataclass(frozen=True)
class Guardrail:
    """A metric that must not become worse."""

    metric: str
    tolerated: float = 0.0
    """The relative harm that is still accepted: 0.01 is one percent."""


@dataclass(frozen=True)
class Experiment:
    """An experiment. All that is known of it is declared here and nowhere else.

    The first variant is the control. A unit's outcome is what it does in `window` after its first
    exposure; a unit counts when that time is over, so that its outcome no longer changes.
    """

    name: str
    title: str
    hypothesis: str
    variants: tuple[Variant, ...]
    goals: tuple[str, ...]
    """The metrics that decide."""
    start: date
    planned_units: int
    """Units of all variants at which the experiment is to be decided: intervals are tightest
    there. `social-assets experiments size` computes it."""
    guardrails: tuple[Guardrail, ...] = ()
    end: date | None = None
    """The last day of exposures that count; None while it is open."""
    owner: str = "team:engagement"
    salt: str = ""
    """Another salt divides the units anew; the name if there is none."""
    share: float = 1.0
    """The part of all units that takes part."""
    unit: Unit = Unit.USER
    window: timedelta = timedelta(days=7)
    before: timedelta = timedelta(days=14)
    """The time before the first exposure whose value of the metric reduces variance (CUPED); zero
    turns it off."""
    alpha: float = 0.05
    """The chance of a false decision that is accepted, over all goals and variants together."""

    def __post_init__(self) -> None:
        for problem in _problems(self):
            raise ExperimentError(f"experiment {self.name}: {problem}")

    @property
    def control(self) -> Variant:
        """The variant that the others are compared with."""
        return self.variants[0]

    @property
    def treatments(self) -> tuple[Variant, ...]:
        """The variants that are compared with the control."""
        return self.variants[1:]

    @property
    def comparisons(self) -> int:
        """How many comparisons decide together."""
        return len(self.goals) * len(self.treatments)

    @property
    def salted_with(self) -> str:
        """The salt of the assignment."""
        return self.salt or self.name

    def variant(self, name: str) -> Variant | None:
        """The variant of this name."""
        return next((each for each in self.variants if each.name == name), None)

    def planned_for(self, treatment: Variant) -> float:
        """The planned units of the control and a treatment together."""
        weights = sum(each.weight for each in self.variants)
        return self.planned_units * (self.control.weight + treatment.weight) / weights


def parts_of(formula: Formula) -> tuple[Formula, Formula | None] | None:
    """Numerator and denominator of a formula that has a value for each unit.

    The denominator is None for what is averaged over units. The result is None for a formula whose
    values of single units do not give that of a variant: quantiles, levels, shares.
    """
    if isinstance(formula, _BY_UNIT):
        return formula, None
    if (
        isinstance(formula, Ratio)
        and isinstance(formula.numerator, _BY_UNIT)
        and isinstance(formula.denominator, _BY_UNIT)
    ):
        return formula.numerator, formula.denominator
    return None


def _problems(of: Experiment) -> list[str]:
    """Why it can't be run."""
    found = [
        f"{what} {name!r} is not of small letters, digits and underscores"
        for what, names in (("name", [of.name]), ("variant", [v.name for v in of.variants]))
        for name in names
        if not _NAME.fullmatch(name)
    ]
    names = [each.name for each in of.variants]
    metrics = [*of.goals, *(each.metric for each in of.guardrails)]
    if len(names) < 2:
        found.append("it needs a control and at least one other variant")
    if len(set(names)) < len(names):
        found.append("two variants have one name")
    if not of.goals:
        found.append("it names no goal; `social-assets metrics` lists all metrics")
    if len(set(metrics)) < len(metrics):
        found.append("a metric is named twice; it is a goal or a guardrail, once")
    if any(not math.isfinite(each.weight) or each.weight <= 0 for each in of.variants):
        found.append("the weight of a variant is a number above 0")
    if any(not 0 <= each.tolerated < 1 for each in of.guardrails):
        found.append("what a guardrail tolerates lies from 0 to below 1")
    if not 0 < of.share <= 1:
        found.append(f"its share lies above 0 and up to 1, not {of.share}")
    if not 0 < of.alpha < 0.5:
        found.append(f"alpha lies between 0 and 0.5, not {of.alpha}")
    if of.planned_units < 1:
        found.append("it needs a number of planned units; `social-assets experiments size` helps")
    if of.end is not None and of.end < of.start:
        found.append(f"it ends on {of.end}, before its start on {of.start}")
    if of.window <= timedelta(0) or of.before < timedelta(0):
        found.append("`window` is longer than zero, and `before` not shorter")
    return [*found, *(problem for name in metrics if (problem := _problem_of(of, name)))]


def _problem_of(of: Experiment, name: str) -> str:
    try:
        formula, subject = metric(name).formula, subject_of(name)
    except UnknownMetricError as error:
        return str(error)
    if parts_of(formula) is None:
        return (
            f"metric {name} ({formula.in_words()}) has no value of one {of.unit.name.lower()}: "
            "choose a sum, a count of users, or a ratio of those"
        )
    if of.unit is not Unit.USER and any(
        subject.measure(atom.measure).aggregate is Aggregate.DISTINCT for atom in formula.atoms()
    ):
        return f"metric {name} counts users, of whom accounts share some: divide users instead"
    if not _knows(subject, of.unit):
        return f"metric {name}: subject {subject.name} does not know its {of.unit.key_column}"
    return ""


def _knows(subject: Subject, unit: Unit) -> bool:
    """Whether rows of the subject's fact name the unit."""
    if unit is Unit.USER:
        return any(each.name == "users" for each in subject.measures)
    return subject.dimension("account") is not None
