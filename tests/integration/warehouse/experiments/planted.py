"""An experiment whose exposures and outcomes are planted, on a real warehouse.

Belongs here: declarations and rows that several tests of experiments use.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np

from social_assets.recommend.experiments.assignment import variant_of
from social_assets.recommend.experiments.definition import Experiment, Guardrail, Variant
from tests.integration.warehouse.conftest import Row, at

START = date(2026, 1, 10)
EXPERIMENT = Experiment(
    name="feed_order",
    title="Order of the feed",
    hypothesis="Newest first makes people react more",
    variants=(Variant("control"), Variant("newest")),
    goals=("likes",),
    guardrails=(Guardrail("click_through_rate", tolerated=0.02),),
    start=START,
    planned_units=1_000,
    window=timedelta(days=2),
    before=timedelta(days=5),
)


def changed(**values: object) -> Experiment:
    return replace(EXPERIMENT, **values)  # type: ignore[arg-type]


def exposure(user: str, variant: str, when: datetime, number: int = 0, **values: object) -> Row:
    row: Row = {
        "exposure_id": f"{user}/{variant}/{when:%d%H%M}/{number}",
        "exposed_at": when,
        "event_time": when,
        "experiment": EXPERIMENT.name,
        "variant": variant,
        "platform": "X",
        "user_id": user,
    }
    return {**row, **values}


def event(user: str, kind: str, when: datetime, value: float = 1.0, number: int = 0) -> Row:
    return {
        "event_id": f"{user}/{kind}/{when:%m%d%H%M%S}/{number}",
        "event_time": when,
        "platform": "X",
        "account_id": "a1",
        "post_id": "p1",
        "user_id": user,
        "metric_type": kind,
        "value": value,
    }


@dataclass(frozen=True)
class Planted:
    """Rows of exposures and of events."""

    exposures: list[Row]
    events: list[Row]


def population(
    users: int,
    lift: float = 0.0,
    *,
    clicks: float = 0.5,
    treated_clicks: float | None = None,
    assign: Callable[[str], str | None] | None = None,
    experiment: Experiment = EXPERIMENT,
) -> Planted:
    """Users who like posts before and after their exposure; the treatment adds a share of likes.

    Each user sees four impressions and clicks on some. A last event closes the last day.
    """
    draws = np.random.default_rng(5)
    exposures: list[Row] = []
    events: list[Row] = []
    begin = at(f"{START} 00:00")
    for number in range(users):
        user = f"u{number}"
        variant = (assign or (lambda each: variant_of(experiment, each)))(user)
        if variant is None:
            continue
        when = begin + timedelta(hours=int(draws.integers(0, 72)), minutes=7)
        habit = draws.gamma(4.0, 2.5)
        factor = 1 + lift if variant == "newest" else 1.0
        exposures.append(exposure(user, variant, when, experiment=experiment.name))
        before, after = draws.poisson(habit), draws.poisson(habit * factor)
        events.append(event(user, "like", when - timedelta(hours=3), float(before)))
        events.append(event(user, "like", when + timedelta(hours=3), float(after)))
        rate = clicks if variant == "control" or treated_clicks is None else treated_clicks
        events.append(event(user, "impression", when + timedelta(hours=1), 4.0))
        events.append(
            event(user, "click", when + timedelta(hours=2), float(draws.binomial(4, rate)))
        )
    events.append(event("closing", "view", begin + timedelta(days=7, hours=1)))
    return Planted(exposures, events)
