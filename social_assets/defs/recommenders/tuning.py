"""`recsys/tuning`: better parameters for the candidates, found on a slice of the training window.

Belongs here: the asset, and where studies are stored. `recsys.evaluation.tuning` has the search.
Candidates use the parameters that it finds. The search never reads the days after the cut.
"""

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from dagster import (
    AssetExecutionContext,
    AutomationCondition,
    Config,
    MaterializeResult,
    MetadataValue,
    asset,
)
from pydantic import Field

from social_assets.defs.recommenders.models import MATRIX, OWNERS, rounded
from social_assets.defs.recommenders.reporting import failures_without_retry, version_of
from social_assets.recommend.candidates import TUNED
from social_assets.recommend.folders import candidates, matrices
from social_assets.recommend.interactions import Interactions

if TYPE_CHECKING:
    from recsys.evaluation.tuning import Study


class TuningConfig(Config):
    """The budget of the search."""

    models: list[str] = Field(default=["graph_filter", "als"], description="Which are tuned")
    trials: int = Field(default=20, gt=0, description="Sets of parameters tried of each model")
    seconds: float | None = Field(
        default=None, gt=0, description="End of the search of a model; with it, seeds fix nothing"
    )
    seed: int = Field(default=0, description="The same seed tries the same parameters")


@asset(
    key=["recsys", "tuning"],
    group_name="recsys",
    deps=[MATRIX],
    owners=OWNERS,
    kinds={"python", "optuna"},
    automation_condition=AutomationCondition.on_cron("0 5 * * 6"),
    description=(
        "Parameters that ranked best on a tenth of each user's items, held out of the training"
        " window. Candidates use them from their next materialization on"
    ),
)
@failures_without_retry()
def tuning(context: AssetExecutionContext, config: TuningConfig) -> MaterializeResult[None]:
    """Searches parameters; each model's study is stored with its candidates."""
    from recsys.evaluation.tuning import tune

    started = time.monotonic()
    interactions = Interactions.load(matrices().required())
    studies = [
        tune(
            model,
            interactions.train,
            trials=config.trials,
            seconds=config.seconds,
            seed=config.seed,
        )
        for model in config.models
    ]
    for study in studies:
        _keep(study, version_of(context))
    return MaterializeResult(
        metadata={
            "studies": MetadataValue.md(_table(studies)),
            "matrix_version": interactions.version,
            "seconds": rounded(time.monotonic() - started),
        }
    )


def _keep(study: "Study", version: str) -> None:
    from recsys.registry.files import replace_text

    folder = candidates(study.model).root
    (folder / "studies").mkdir(parents=True, exist_ok=True)
    text = json.dumps(asdict(study), indent=2, default=dict)
    replace_text(folder / "studies" / f"{version}.json", text)
    replace_text(folder / TUNED, json.dumps(dict(study.best.parameters), indent=2))


def _table(studies: "list[Study]") -> str:
    lines = ["| model | trials | NDCG@10, defaults | best | parameters |", "|---" * 5 + "|"]
    for study in studies:
        first = study.trials[0].ndcg
        before = "could not be fitted" if first is None else f"{first:.4f}"
        best = study.best
        lines.append(
            f"| {study.model} | {len(study.trials)} | {before} | {best.ndcg:.4f}"
            f" | `{json.dumps(dict(best.parameters))}` |"
        )
    return "\n".join(lines)
