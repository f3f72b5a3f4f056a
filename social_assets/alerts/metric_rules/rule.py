"""What a rule on a metric says, and the registry of rules.

Belongs here: the types, and finding the modules of `declared`. Whether a rule holds now belongs to
`evaluate`.
"""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib import import_module

from social_assets.alerts.active import Severity
from social_assets.alerts.metric_rules import declared
from social_assets.metrics.registry import subject_of


class RuleDeclarationError(ValueError):
    """A rule is declared wrongly; the text names it."""


@dataclass(frozen=True)
class AboveThreshold:
    """The metric over the last hours is above a number."""

    threshold: float


@dataclass(frozen=True)
class AboveOwnQuantile:
    """The metric over the last hours is above a quantile of the days of its own group's members.

    A post is compared with all posts and days of its own account: `within` names the dimension.
    """

    within: str
    quantile: float
    days: int
    least: float
    """Smaller values are never told: a quantile of small numbers is one."""
    least_days: int = 30
    """With fewer days of members than this, there is no quantile to compare with."""


@dataclass(frozen=True)
class RobustSpike:
    """The metric of a whole hour is far above the same hour of the weeks before.

    The robust z-score is (value - median) / (1.4826 x median absolute deviation), after Iglewicz
    and Hoaglin, "How to Detect and Handle Outliers", 1993. The deviation is taken to be at least
    the square root of the median, which is that of counts (Poisson), so that a group whose past
    hours were equal does not make every hour a spike.
    """

    z_score: float
    weeks: int
    least: float
    """Smaller values are never told."""
    least_weeks: int = 3
    """With fewer weeks that have data, there is nothing to compare with."""


@dataclass(frozen=True)
class BelowThreshold:
    """A mean over the last hours is below a number, and is of many records.

    `counted` names the metric of the same subject that counts the records.
    """

    threshold: float
    counted: str
    least: int
    """A mean of fewer records is never told."""


Condition = AboveThreshold | AboveOwnQuantile | RobustSpike | BelowThreshold


@dataclass(frozen=True)
class MetricRule:
    """A rule. All that is known of it is declared here and nowhere else."""

    name: str
    title: str
    """With `{group}`: what has happened."""
    description: str
    metric: str
    by: str
    """The dimension whose members are watched."""
    conditions: tuple[Condition, ...]
    """One of them is enough."""
    owner: str
    dashboard: str
    """The dashboard that shows more; the member is its filter."""
    window: timedelta = timedelta(hours=24)
    """Over which thresholds and quantiles take the metric."""
    cool_down: timedelta = timedelta(hours=24)
    """How long an alert lasts at least: the same member is told again only after it."""
    severity: Severity = Severity.WARN
    limit: int = 50
    """The most members that one evaluation tells of, those farthest beyond the threshold first."""


@cache
def rules() -> tuple[MetricRule, ...]:
    """All rules. Raises RuleDeclarationError, or UnknownMetricError."""
    found = tuple(
        import_module(f"{declared.__name__}.{module.name}").RULE
        for module in pkgutil.iter_modules(declared.__path__)
    )
    for each in found:
        subject = subject_of(each.metric)
        within = [c.within for c in each.conditions if isinstance(c, AboveOwnQuantile)]
        for name in (each.by, *within):
            if subject.dimension(name) is None:
                raise RuleDeclarationError(
                    f"rule {each.name}: metric {each.metric} has no dimension {name}"
                )
        counted = [c.counted for c in each.conditions if isinstance(c, BelowThreshold)]
        for name in counted:
            if subject_of(name) is not subject:
                raise RuleDeclarationError(
                    f"rule {each.name}: metric {name} does not count what {each.metric} is of"
                )
        if not each.conditions:
            raise RuleDeclarationError(f"rule {each.name} has no condition")
    return found
