"""Whether an experiment lets a model become champion.

Belongs here: the rule. It comes after the offline rules of `recommend.candidates`, and only for a
model that an experiment compares; what shows the models to people is not part of the platform.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from social_assets.recommend.candidates import Admission
from social_assets.recommend.errors import RecommendError
from social_assets.recommend.experiments.definition import Experiment, ExperimentError
from social_assets.recommend.experiments.recommendation import Action
from social_assets.recommend.experiments.registry import experiments
from social_assets.recommend.experiments.results_tables import Recorded, read_recorded

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

Connect = Callable[[], AbstractContextManager["Client"]]


def admitted_by_experiment(model: str, connect: Connect) -> Admission:
    """Passes if the newest experiment that has the model as a treatment ships it.

    Without such an experiment it passes too, and ClickHouse is not asked. Raises RecommendError if
    an experiment is declared wrongly.
    """
    try:
        comparing = comparing_model(experiments(), model)
    except ExperimentError as error:
        raise RecommendError(str(error)) from error
    if comparing is None:
        return Admission(True, f"no experiment compares {model} with another model", {})
    with connect() as client:
        return admission(comparing, model, read_recorded(client))


def comparing_model(declared: Sequence[Experiment], model: str) -> Experiment | None:
    """The newest experiment that has the model as a treatment."""
    found = [
        each for each in declared if any(variant.model == model for variant in each.treatments)
    ]
    return max(found, key=lambda each: (each.start, each.name), default=None)


def admission(experiment: Experiment, model: str, recorded: Mapping[str, Recorded]) -> Admission:
    """Whether the recorded recommendation of an experiment ships the model."""
    found = recorded.get(experiment.name)
    if found is None:
        reason = (
            f"experiment {experiment.name} was not analyzed: materialize recsys/experiment_results"
        )
        return Admission(False, reason, {})
    shipped = experiment.variant(found.recommendation.variant)
    is_shipped = (
        found.recommendation.action is Action.SHIP
        and shipped is not None
        and shipped.model == model
    )
    does = "ships" if is_shipped else "does not ship"
    reason = f"experiment {experiment.name} {does} {model}: {found.recommendation}"
    return Admission(is_shipped, reason, {})
