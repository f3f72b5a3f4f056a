"""The analysis of an experiment: every metric of every treatment, as of each day.

Belongs here: the order of the steps. Sums come from `outcomes`, numbers from `statistics`, the
rules from `recommendation`; nothing is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from social_assets.recommend.experiments.definition import Experiment, Variant
from social_assets.recommend.experiments.outcomes.daily_moments import (
    DailyMoments,
    newest_complete_day,
    read_daily,
)
from social_assets.recommend.experiments.outcomes.exposed_units import (
    EXPOSURES,
    ExposureCounts,
    read_exposures,
)
from social_assets.recommend.experiments.recommendation import (
    Compared,
    ExperimentState,
    Recommendation,
    is_harmed,
    recommend,
)
from social_assets.recommend.experiments.statistics.adjustment import adjusted_p_values
from social_assets.recommend.experiments.statistics.comparison import (
    Looks,
    VariantComparison,
    compare,
)
from social_assets.recommend.experiments.statistics.moments import Moments
from social_assets.recommend.experiments.statistics.sample_ratio import sample_ratio_p_value
from social_assets.warehouse.tables import exists

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client


@dataclass(frozen=True)
class ComparedMetric:
    """One row of the results: a metric of a treatment as of a day."""

    as_of: date
    metric: str
    is_goal: bool
    variant: str
    found: VariantComparison
    adjusted_p_value: float | None
    """Of a goal: with all goals and treatments that decide together."""
    is_harm: bool
    """Of a guardrail: whether it is worse than tolerated."""


@dataclass(frozen=True)
class Analysis:
    """What is known of an experiment."""

    experiment: Experiment
    as_of: date | None
    """The last day that counts; None without exposures or facts."""
    exposures: ExposureCounts
    counted: Mapping[str, int]
    """The units of each variant whose outcome is complete."""
    sample_ratio_p_value: float
    rows: Sequence[ComparedMetric]
    recommendation: Recommendation

    @property
    def newest(self) -> list[ComparedMetric]:
        """The rows as of the last day."""
        return [row for row in self.rows if row.as_of == self.as_of]


def analyze(client: Client, experiment: Experiment) -> Analysis:
    """Analyze an experiment on what the warehouse has, from its start to the last complete day."""
    nothing = ExposureCounts({each.name: 0 for each in experiment.variants})
    is_logged = exists(client, EXPOSURES)
    as_of = newest_complete_day(client, experiment) if is_logged else None
    exposures = nothing if as_of is None else read_exposures(client, experiment, as_of)
    daily: dict[str, DailyMoments] = {}
    if as_of is not None and exposures.total:
        daily = {name: read_daily(client, experiment, name, as_of) for name in _metrics(experiment)}
    rows = [row for day in _days(daily) for row in _rows_of(experiment, daily, day)]
    counted = _counted(experiment, daily, as_of)
    ratio = sample_ratio_p_value(
        [exposures.units[each.name] for each in experiment.variants],
        [each.weight for each in experiment.variants],
    )
    compared: Compared = {
        (row.metric, row.variant): row.found for row in rows if row.as_of == as_of
    }
    lacks_facts = is_logged and as_of is None
    state = ExperimentState(as_of or experiment.start, exposures.total, counted, ratio, lacks_facts)
    return Analysis(
        experiment,
        as_of if exposures.total else None,
        exposures,
        counted,
        ratio,
        rows,
        recommend(experiment, state, compared),
    )


def _rows_of(
    experiment: Experiment, daily: Mapping[str, DailyMoments], day: date
) -> list[ComparedMetric]:
    """The comparisons as of one day."""
    compared = {
        (name, treatment.name): found
        for name, days in daily.items()
        for treatment in experiment.treatments
        if day in days and (found := _compared(experiment, treatment, name, days[day])) is not None
    }
    deciding = {key: each.p_value for key, each in compared.items() if key[0] in experiment.goals}
    adjusted = adjusted_p_values(deciding)
    guardrails = {each.metric: each for each in experiment.guardrails}
    return [
        ComparedMetric(
            day,
            name,
            name not in guardrails,
            variant,
            found,
            adjusted.get((name, variant)),
            name in guardrails and is_harmed(guardrails[name], found),
        )
        for (name, variant), found in compared.items()
    ]


def _compared(
    experiment: Experiment, treatment: Variant, name: str, moments: Mapping[str, Moments]
) -> VariantComparison | None:
    """A goal shares alpha with all others that decide; a guardrail has it for itself."""
    parts = experiment.comparisons if name in experiment.goals else 1
    looks = Looks(experiment.planned_for(treatment), experiment.alpha / parts)
    return compare(moments[experiment.control.name], moments[treatment.name], looks)


def _metrics(experiment: Experiment) -> tuple[str, ...]:
    return (*experiment.goals, *(each.metric for each in experiment.guardrails))


def _days(daily: Mapping[str, DailyMoments]) -> list[date]:
    return sorted({day for days in daily.values() for day in days})


def _counted(
    experiment: Experiment, daily: Mapping[str, DailyMoments], as_of: date | None
) -> dict[str, int]:
    first = daily.get(experiment.goals[0], {})
    moments = first.get(as_of, {}) if as_of is not None else {}
    return {
        each.name: moments[each.name].units if each.name in moments else 0
        for each in experiment.variants
    }
