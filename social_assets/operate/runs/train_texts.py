"""Trains a text model in a run, and says what came of it.

Belongs here: the run's results as values. Training and promotion belong to the assets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dagster import AssetKey, DagsterInstance

from resources.settings.home import Home
from social_assets.defs.text.champion import CHALLENGER, CHAMPION
from social_assets.operate.runs.instance import open_instance
from social_assets.operate.runs.start import Progress, RunReport, run_text_training


@dataclass(frozen=True)
class TextTraining:
    """A run that trained: what came of the challenger, and which model scores now."""

    report: RunReport
    result: str
    decision: str
    is_promoted: bool


def train_texts(home: Home, progress: Progress) -> TextTraining:
    """Train a challenger on the labels and decide on the champion. Raises RunFailedError."""
    report = run_text_training(home, progress)
    with open_instance(home) as instance:
        trained, decided = (_metadata(instance, key) for key in (CHALLENGER, CHAMPION))
    return TextTraining(
        report,
        str(trained["result"].value),
        str(decided["decision"].value),
        bool(decided["is_promoted"].value),
    )


def _metadata(instance: DagsterInstance, key: AssetKey) -> Mapping[str, Any]:
    event = instance.get_latest_materialization_event(key)
    materialization = event.asset_materialization if event else None
    return materialization.metadata if materialization else {}
