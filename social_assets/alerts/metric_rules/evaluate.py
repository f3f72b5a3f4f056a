"""Whether a rule holds now, and for which members.

Belongs here: the questions and the comparison. An evaluation keeps no state: a cool-down is the
range that it looks back over, so that a restarted process neither repeats nor forgets an alert.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median

from social_assets.alerts.metric_rules.rule import (
    AboveOwnQuantile,
    AboveThreshold,
    BelowThreshold,
    Condition,
    MetricRule,
    RobustSpike,
)
from social_assets.metrics.answer import Answer
from social_assets.metrics.grain import Grain
from social_assets.metrics.planner.question import Filter, Question
from social_assets.metrics.registry import metric

Ask = Callable[[Question], Answer]

_HOUR = timedelta(hours=1)
_WEEK = timedelta(weeks=1)
_SCALE = 1.4826
"""Makes the median absolute deviation that of a normal distribution."""


@dataclass(frozen=True)
class Found:
    """A member for which a rule holds."""

    group: str
    value: float
    detail: str


def evaluate(rule: MetricRule, ask: Ask, now: datetime) -> tuple[Found, ...]:
    """The members for which one of the conditions holds.

    The largest values come first; the smallest, if a condition is of small ones.

    Raises what `ask` raises.
    """
    found: dict[str, Found] = {}
    for condition in rule.conditions:
        for each in _held(rule, condition, ask, now):
            found.setdefault(each.group, each)
    sign = 1 if any(isinstance(each, BelowThreshold) for each in rule.conditions) else -1
    ordered = sorted(found.values(), key=lambda each: (sign * each.value, each.group))
    return tuple(ordered[: rule.limit])


def _held(rule: MetricRule, condition: Condition, ask: Ask, now: datetime) -> list[Found]:
    if isinstance(condition, RobustSpike):
        return _spikes(rule, condition, ask, now)
    if isinstance(condition, BelowThreshold):
        return _low_means(rule, condition, ask, now)
    current = _largest(rule, ask, now)
    if isinstance(condition, AboveThreshold):
        return [
            Found(
                group,
                value,
                f"{_told(rule, value)}, over {condition.threshold:,.0f}",
            )
            for group, value in current.items()
            if value > condition.threshold
        ]
    return _above_own(rule, condition, current, ask, now)


def _largest(rule: MetricRule, ask: Ask, now: datetime) -> dict[str, float]:
    """The largest members over the rule's window, by the hour."""
    end = _hour(now) + _HOUR
    answer = ask(
        Question((rule.metric,), end - rule.window, end, by=(rule.by,), limit=2 * rule.limit)
    )
    return _values(answer)


def _low_means(rule: MetricRule, condition: BelowThreshold, ask: Ask, now: datetime) -> list[Found]:
    """Members with a low mean. Those with the most records are asked for: it must be of many."""
    end = _hour(now) + _HOUR
    answer = ask(
        Question(
            (rule.metric, condition.counted),
            end - rule.window,
            end,
            by=(rule.by,),
            order_by=condition.counted,
            limit=_MOST_WATCHED,
        )
    )
    found = []
    for row in answer.rows:
        mean, records = row.values
        if mean is None or not records or records < condition.least or mean >= condition.threshold:
            continue
        found.append(
            Found(
                row.group[0],
                float(mean),
                f"{mean:.2f}, mean of {records:,.0f} {metric(condition.counted).unit} in "
                f"{rule.window / _HOUR:g} hours, below {condition.threshold:g}",
            )
        )
    return found


def _above_own(
    rule: MetricRule,
    condition: AboveOwnQuantile,
    current: dict[str, float],
    ask: Ask,
    now: datetime,
) -> list[Found]:
    """Members above a quantile of all days of the members of their own group."""
    candidates = {g: v for g, v in current.items() if v >= condition.least}
    if not candidates:
        return []
    end = _hour(now) + _HOUR - rule.window
    owners = _owners(rule, condition, tuple(candidates), ask, now)
    limits: dict[str, float | None] = {}
    found = []
    for group, value in candidates.items():
        owner = owners.get(group)
        if owner is None:
            continue
        if owner not in limits:
            limits[owner] = _own_limit(rule, condition, owner, ask, end)
        limit = limits[owner]
        if limit is not None and value > limit:
            found.append(
                Found(
                    group,
                    value,
                    f"{_told(rule, value)}; {condition.quantile:.0%} of the days of each {rule.by} "
                    f"of {condition.within} {owner} have at most {limit:,.0f}",
                )
            )
    return found


def _owners(
    rule: MetricRule, condition: AboveOwnQuantile, members: Sequence[str], ask: Ask, now: datetime
) -> dict[str, str]:
    end = _hour(now) + _HOUR
    answer = ask(
        Question(
            (rule.metric,),
            end - rule.window,
            end,
            by=(rule.by, condition.within),
            where=(Filter(rule.by, tuple(members)),),
        )
    )
    return {row.group[0]: row.group[1] for row in answer.rows}


def _own_limit(
    rule: MetricRule, condition: AboveOwnQuantile, owner: str, ask: Ask, end: datetime
) -> float | None:
    answer = ask(
        Question(
            (rule.metric,),
            end - timedelta(days=condition.days),
            end,
            Grain.DAY,
            by=(rule.by,),
            where=(Filter(condition.within, (owner,)),),
        )
    )
    days = sorted(float(row.values[0]) for row in answer.rows if row.values[0] is not None)
    if len(days) < condition.least_days:
        return None
    # The smallest value that at least this share of the days does not exceed.
    return days[min(len(days) - 1, int(condition.quantile * len(days)))]


def _spikes(rule: MetricRule, condition: RobustSpike, ask: Ask, now: datetime) -> list[Found]:
    """Members with a spike in one of the whole hours of the cool-down."""
    end = _hour(now)
    hours = max(1, int(rule.cool_down / _HOUR))
    watched = (end - hours * _HOUR, end)
    current = {
        place: value
        for place, value in _by_hour(rule, ask, watched, ()).items()
        if value >= condition.least
    }
    if not current:
        return []
    members = tuple(sorted({group for group, _ in current}))
    past = [
        _by_hour(rule, ask, (watched[0] - n * _WEEK, watched[1] - n * _WEEK), members)
        for n in range(1, condition.weeks + 1)
    ]
    found: dict[str, Found] = {}
    for (group, at), value in current.items():
        before = [week.get((group, at - n * _WEEK), 0.0) for n, week in enumerate(past, 1) if week]
        if len(before) < condition.least_weeks:
            continue
        score = robust_z(value, before)
        if score > condition.z_score and (group not in found or value > found[group].value):
            found[group] = Found(
                group,
                value,
                f"{value:,.0f} at {at:%Y-%m-%d %H:%M} UTC; the usual value of this hour of the "
                f"week is {median(before):,.0f} (robust z-score {score:.1f}, over "
                f"{condition.z_score:g})",
            )
    return list(found.values())


def robust_z(value: float, before: Sequence[float]) -> float:
    """How many robust deviations a value is above the median of earlier ones."""
    middle = median(before)
    spread = _SCALE * median([abs(each - middle) for each in before])
    return (value - middle) / max(spread, math.sqrt(max(middle, 1.0)))


def _by_hour(
    rule: MetricRule, ask: Ask, watched: tuple[datetime, datetime], members: tuple[str, ...]
) -> dict[tuple[str, datetime], float]:
    where = (Filter(rule.by, members),) if members else ()
    answer = ask(
        Question((rule.metric,), *watched, Grain.HOUR, (rule.by,), where, limit=_MOST_WATCHED)
    )
    return {
        (row.group[0], row.bucket): float(row.values[0])
        for row in answer.rows
        if row.bucket is not None and row.values[0] is not None
    }


_MOST_WATCHED = 1_000
"""The members with the largest values; a spike of a smaller one is not told."""


def _values(answer: Answer) -> dict[str, float]:
    return {row.group[0]: float(row.values[0]) for row in answer.rows if row.values[0] is not None}


def _hour(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _told(rule: MetricRule, value: float) -> str:
    return f"{value:,.0f} in {rule.window / _HOUR:g} hours"
