"""The results of two experiments, as the nightly analysis writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
from clickhouse_connect.driver.client import Client

from social_assets.recommend.experiments.analysis import Analysis, ComparedMetric
from social_assets.recommend.experiments.definition import Experiment, Guardrail, Variant
from social_assets.recommend.experiments.outcomes.exposed_units import ExposureCounts
from social_assets.recommend.experiments.recommendation import Action, Recommendation
from social_assets.recommend.experiments.results_tables import write_analyses
from social_assets.recommend.experiments.statistics.comparison import Looks, compare
from social_assets.recommend.experiments.statistics.moments import VALUE, Moments

_DAYS = 10
_UNITS_A_DAY = 150


def write_experiments(client: Client) -> None:
    """Fill the tables that the dashboard Experiments reads."""
    as_of = datetime.now(UTC).date() - timedelta(days=1)
    analyses = [
        _analysis("feed_order", as_of, Recommendation(Action.SHIP, "newest", _REASON), 0.2),
        _analysis("long_titles", as_of, Recommendation(Action.CONTINUE, "", "few units"), 0.0),
    ]
    write_analyses(client, analyses, "browser", datetime.now(UTC))


_REASON = "likes of newest +20.1% [+11.2%, +29.8%]; the guardrail click-through rate is not harmed"


def _analysis(name: str, as_of: date, recommended: Recommendation, lift: float) -> Analysis:
    experiment = Experiment(
        name=name,
        title=name,
        hypothesis="It is better",
        variants=(Variant("control"), Variant("newest")),
        goals=("likes",),
        guardrails=(Guardrail("clicks"),),
        start=as_of - timedelta(days=_DAYS),
        planned_units=4_000,
    )
    units = {each.name: _DAYS * _UNITS_A_DAY for each in experiment.variants}
    rows = [
        row
        for day in range(1, _DAYS + 1)
        for row in _rows(experiment, as_of - timedelta(days=_DAYS - day), day * _UNITS_A_DAY, lift)
    ]
    exposures = ExposureCounts(units, in_several_variants=3)
    return Analysis(experiment, as_of, exposures, units, 0.7, rows, recommended)


def _rows(experiment: Experiment, day: date, units: int, lift: float) -> list[ComparedMetric]:
    found = []
    for name in ("likes", "clicks"):
        sides = [_moments(units, 10.0), _moments(units, 10.0 * (1 + lift))]
        compared = compare(*sides, Looks(experiment.planned_units, experiment.alpha))
        assert compared is not None
        is_goal = name == "likes"
        adjusted = 0.01 if is_goal else None
        found.append(ComparedMetric(day, name, is_goal, "newest", compared, adjusted, False))
    return found


def _moments(units: int, mean: float) -> Moments:
    return Moments((VALUE,), units, np.array([mean]), np.array([[90.0]]))
