"""What to do with an experiment: ship, keep, go on or stop, and why.

Belongs here: the rules, in their order. They read intervals that hold at every look, so that an
experiment may be read each day. `docs/experiments.md` lists them for people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from social_assets.metrics.registry import metric
from social_assets.recommend.experiments.definition import Experiment, Guardrail
from social_assets.recommend.experiments.statistics.comparison import (
    EffectInterval,
    VariantComparison,
)
from social_assets.recommend.experiments.statistics.sample_ratio import MISMATCH_BELOW

LEAST_UNITS = 100
"""Of each variant: with fewer, an interval of estimated variance does not hold."""

Compared = Mapping[tuple[str, str], VariantComparison]
"""By metric and treatment: what is known at one time."""


class Action(StrEnum):
    """What to do."""

    SHIP = "ship"
    KEEP = "keep"
    CONTINUE = "go on"
    STOP = "stop"


@dataclass(frozen=True)
class Recommendation:
    """What to do and why; `variant` is the one that is shipped or kept."""

    action: Action
    variant: str
    reason: str

    def __str__(self) -> str:
        if self.action in (Action.SHIP, Action.KEEP):
            return f"{self.action} {self.variant}: {self.reason}"
        return f"{self.action}: {self.reason}"


@dataclass(frozen=True)
class ExperimentState:
    """What the rules read of an experiment besides its comparisons."""

    as_of: date
    exposed: int
    counted: Mapping[str, int]
    """The units of each variant whose outcome is complete."""
    sample_ratio_p_value: float
    lacks_facts: bool = False
    """Whether exposures are there, and no day of the metrics' facts."""


def recommend(experiment: Experiment, state: ExperimentState, compared: Compared) -> Recommendation:
    """The first rule that holds decides."""
    unreadable = _unreadable(state)
    if unreadable is not None:
        return unreadable
    names = [each.name for each in experiment.treatments]
    refused = {
        name: why
        for name in names
        if (why := _harm(experiment, name, compared) or _lost(experiment, name, compared))
    }
    still_open = [name for name in names if name not in refused]
    if not still_open:
        reason = "; ".join(refused.values())
        return Recommendation(Action.KEEP, experiment.control.name, reason)
    won = {name: gains for name in still_open if (gains := _won(experiment, name, compared))}
    if won:
        best = max(won, key=lambda name: _first_gain(experiment, name, compared))
        return Recommendation(Action.SHIP, best, "; ".join(won[best]))
    return _undecided(experiment, state, compared, still_open)


def is_harmed(guardrail: Guardrail, found: VariantComparison) -> bool:
    """Whether all of the interval is worse than what the guardrail tolerates."""
    within = found.lift_always
    if within is None:
        # Without a lift there is no relative harm: any harm counts.
        within, tolerated = found.always, 0.0
    else:
        tolerated = guardrail.tolerated
    return _is_worse(guardrail.metric, within, tolerated)


def rise_is_good(name: str) -> bool:
    """Whether a rise of the metric is an improvement; so taken if nothing is declared."""
    return metric(name).rises_is_good is not False


def _unreadable(state: ExperimentState) -> Recommendation | None:
    """What to do if no comparison can be read; None if they can."""
    fewest = min(state.counted.values(), default=0)
    if state.lacks_facts:
        reason = "a fact of its metrics has no rows yet, so no day is complete"
    elif not state.exposed:
        reason = "no unit was exposed yet"
    elif state.sample_ratio_p_value < MISMATCH_BELOW:
        return Recommendation(
            Action.STOP,
            "",
            "sample-ratio mismatch: the variants do not have the parts of units that were declared"
            f" (p = {state.sample_ratio_p_value:.1g}), so no difference can be trusted",
        )
    elif fewest < LEAST_UNITS:
        reason = (
            f"a variant has {fewest:,} units whose outcome is complete, and at least {LEAST_UNITS}"
            " are needed"
        )
    else:
        return None
    return Recommendation(Action.CONTINUE, "", reason)


def _undecided(
    experiment: Experiment, state: ExperimentState, compared: Compared, treatments: Sequence[str]
) -> Recommendation:
    control = experiment.control.name
    counted = sum(state.counted.values())
    between = "; ".join(
        _told(name, goal, compared[goal, name])
        for name in treatments
        for goal in experiment.goals
        if (goal, name) in compared
    )
    is_over = experiment.end is not None and state.as_of >= experiment.end + experiment.window
    if counted >= experiment.planned_units or is_over:
        why = "the planned units are there" if not is_over else f"it ended on {experiment.end}"
        return Recommendation(
            Action.KEEP, control, f"{why}, and no difference was found: {between or 'no values'}"
        )
    until = f"{experiment.planned_units:,} units are complete ({counted:,} are)"
    if experiment.end is not None:
        until += f", or until the outcomes of {experiment.end} are"
    return Recommendation(Action.CONTINUE, "", f"until {until}: {between or 'no values'}")


def _harm(experiment: Experiment, name: str, compared: Compared) -> str:
    for guardrail in experiment.guardrails:
        found = compared.get((guardrail.metric, name))
        if found is not None and is_harmed(guardrail, found):
            return f"{name} harms the guardrail {_told(name, guardrail.metric, found)}"
    return ""


def _lost(experiment: Experiment, name: str, compared: Compared) -> str:
    for goal in experiment.goals:
        found = compared.get((goal, name))
        if found is not None and _is_worse(goal, found.always, 0.0):
            return f"{name} is worse: {_told(name, goal, found)}"
    return ""


def _won(experiment: Experiment, name: str, compared: Compared) -> list[str]:
    return [
        _told(name, goal, found)
        for goal in experiment.goals
        if (found := compared.get((goal, name))) is not None and _is_better(goal, found.always)
    ]


def _is_better(name: str, within: EffectInterval) -> bool:
    return within.is_above(0) if rise_is_good(name) else within.is_below(0)


def _is_worse(name: str, within: EffectInterval, tolerated: float) -> bool:
    if rise_is_good(name):
        return within.is_below(-tolerated)
    return within.is_above(tolerated)


def _first_gain(experiment: Experiment, name: str, compared: Compared) -> float:
    goal = experiment.goals[0]
    found = compared.get((goal, name))
    gain = 0.0 if found is None else found.difference
    return gain if rise_is_good(goal) else -gain


def _told(variant: str, name: str, found: VariantComparison) -> str:
    title = metric(name).title.lower()
    if found.lift is None or found.lift_always is None:
        low, high = found.always.low, found.always.high
        return f"{title} of {variant} {found.difference:+.4g} [{low:+.4g}, {high:+.4g}]"
    low, high = found.lift_always.low, found.lift_always.high
    return f"{title} of {variant} {found.lift:+.1%} [{low:+.1%}, {high:+.1%}]"
