"""Experiments in the home's warehouse, for the command line.

Belongs here: asking. What an experiment is, and how it is analyzed, belongs to
`recommend.experiments`.
"""

from __future__ import annotations

from resources.clickhouse.resource import ClickHouseResource
from social_assets.recommend.experiments.analysis import Analysis, analyze
from social_assets.recommend.experiments.registry import experiment, experiments
from social_assets.recommend.experiments.results_tables import Recorded, read_recorded

COMMENT = "social-assets experiments"


def analyzed(name: str | None) -> list[Analysis]:
    """The analysis of one experiment, or of all, as of now; nothing is written.

    Raises ExperimentError, and clickhouse-connect's errors.
    """
    chosen = experiments() if name is None else (experiment(name),)
    if not chosen:
        return []
    with ClickHouseResource().client(COMMENT) as client:
        return [analyze(client, each) for each in chosen]


def recorded() -> dict[str, Recorded]:
    """What the last run of `recsys/experiment_results` recommends, by experiment."""
    if not experiments():
        return {}
    with ClickHouseResource().client(COMMENT) as client:
        return read_recorded(client)
