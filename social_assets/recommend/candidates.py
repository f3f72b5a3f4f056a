"""Candidates for champion: how each model did on the temporal split, and which one is admitted.

Belongs here: training and evaluating a model on the interaction matrix, the record of the
evaluation on disk, the choice of the challenger, and the two rules of its admission. Models and
metrics are in `recsys`. A new model is a line in the catalog of `recsys.models` and one in `DAILY`,
`WEEKLY`, `DEEP` or `ON_REQUEST`.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from social_assets.recommend.errors import RecommendError
from social_assets.recommend.folders import (
    candidates,
    champions_in_force,
    champions_root,
    matrices,
)
from social_assets.recommend.interactions import Interactions

if TYPE_CHECKING:
    from recsys import Difference, Evaluation, InteractionMatrix
    from recsys.recommender import ScorerRecommender

Parameters = Mapping[str, int | float | str]

ALS, POPULARITY, CHALLENGER = "als", "popularity", "challenger"
DAILY = ("popularity_decayed", "item_cosine", "graph_filter")
"""Besides ALS and popularity: models that cost seconds, evaluated with every new matrix."""
WEEKLY = ("item_bm25", "item_tfidf", "ials", "bpr", "lmf", "ease", "blend", "content", "hybrid")
"""Models that cost more or win less often, evaluated once a week or on request."""
ON_REQUEST = ("spark_als",)
"""Models that need additional packages, evaluated only if requested by name."""
DEEP = ("sasrec", "gru4rec", "two_towers")
"""Models that need the extra `deep`: weekly where it is installed, else only if requested by name,
which fails and says what to install."""
EVALUATED_AT = (10, 20, 50)
DECIDED_AT = 10
DECIDING_METRIC = f"ndcg@{DECIDED_AT}"

TUNED = "tuned.json"
_RECORD, _EVALUATION = "candidate.json", "evaluation.npz"


@dataclass(frozen=True)
class Candidate:
    """A model's evaluation on one matrix.

    The fitted model is not kept: the champion is fitted again, with the same `parameters`, on all
    data.
    """

    version: str
    matrix_version: str
    parameters: Parameters
    evaluation: Evaluation
    fit_seconds: float
    evaluate_seconds: float

    @property
    def model(self) -> str:
        """The name of the model."""
        return self.evaluation.model

    def save(self, folder: Path) -> None:
        """Write a new folder, completely or not at all."""
        from recsys.registry.files import new_folder, npz_bytes

        found = self.evaluation
        record = {
            "matrix_version": self.matrix_version,
            "model": found.model,
            "parameters": dict(self.parameters),
            "ks": found.ks,
            "metrics": dict(found.metrics),
            "users_without_train": found.users_without_train,
            "fit_seconds": self.fit_seconds,
            "evaluate_seconds": self.evaluate_seconds,
        }
        with new_folder(folder) as place:
            (place / _RECORD).write_text(json.dumps(record, indent=2))
            arrays = {
                "user_indices": found.user_indices,
                "user_ndcg": found.user_ndcg,
                "item_tests": found.item_tests,
                "item_hits": found.item_hits,
            }
            (place / _EVALUATION).write_bytes(npz_bytes(arrays))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        import numpy as np

        from recsys import Evaluation
        from recsys.registry.files import parse_npz

        record = json.loads((folder / _RECORD).read_text())
        file = folder / _EVALUATION
        expected = {
            "user_indices": np.int64,
            "user_ndcg": np.float64,
            "item_tests": np.int64,
            "item_hits": np.int64,
        }
        arrays = parse_npz(file.read_bytes(), str(file), expected)
        evaluation = Evaluation(
            model=record["model"],
            ks=tuple(record["ks"]),
            metrics=record["metrics"],
            user_indices=arrays["user_indices"],
            user_ndcg=arrays["user_ndcg"],
            item_tests=arrays["item_tests"],
            item_hits=arrays["item_hits"],
            users_without_train=record["users_without_train"],
        )
        return cls(
            version=folder.name,
            matrix_version=record["matrix_version"],
            parameters=record["parameters"],
            evaluation=evaluation,
            fit_seconds=record["fit_seconds"],
            evaluate_seconds=record["evaluate_seconds"],
        )


@dataclass(frozen=True)
class Admission:
    """Whether a rule of admission holds, with the reason and the figures."""

    passed: bool
    reason: str
    figures: Mapping[str, float]


def deep_is_installed() -> bool:
    """Whether the packages of the extra `deep` are there; imports none of them."""
    return all(find_spec(name) is not None for name in ("jax", "optax"))


def current_candidate(model: str) -> Candidate:
    """The latest record of a model."""
    return Candidate.load(candidates(model).required())


def matrix_of(candidate: Candidate) -> Interactions:
    """The matrix of a candidate's evaluation; raises RecommendError if it was removed."""
    folder = matrices().folder(candidate.matrix_version)
    if not folder.exists():
        raise RecommendError(
            f"{candidate.model} was evaluated on matrix {candidate.matrix_version}, which was"
            f" removed: materialize recsys/popularity and recsys/{candidate.model} on the present"
            " one",
        )
    return Interactions.load(folder)


def champion_manifest() -> Mapping[str, Any] | None:
    """The current champion's manifest, if there is a champion."""
    from recsys import load
    from recsys.registry.deployment_history import champion

    folder = champion(champions_in_force())
    return None if folder is None else load(folder).manifest


def required_champion(*, unless_away: bool = False) -> Path:
    """The folder of the version that serves; raises RecommendError if there is none.

    `unless_away` is that of `champions_in_force`.
    """
    from recsys.registry.deployment_history import champion

    folder = champion(champions_in_force(unless_away=unless_away))
    if folder is None:
        raise RecommendError(
            f"no champion was published to {champions_root()} yet: materialize recsys/champion",
        )
    return folder


def default_parameters(model: str) -> Parameters:
    """The default parameters of a candidate: those that tuning found, if it has run."""
    file = candidates(model).root / TUNED
    tuned: Parameters = json.loads(file.read_text()) if file.exists() else {}
    return tuned


def evaluated_on(matrix_version: str) -> list[Candidate]:
    """The latest record of every model that was evaluated on this matrix, the best first.

    Baselines are left out.
    """
    folders = [candidates(model).current() for model in (ALS, *DAILY, *WEEKLY, *DEEP, *ON_REQUEST)]
    fresh = [
        Candidate.load(folder)
        for folder in folders
        if folder is not None and _matrix_evaluated_on(folder) == matrix_version
    ]
    return sorted(fresh, key=lambda c: (-c.evaluation.metrics[DECIDING_METRIC], c.model))


def _matrix_evaluated_on(folder: Path) -> str:
    """The matrix version of a record. The rest is not read, as an earlier release may have written
    it in another form.
    """
    return str(json.loads((folder / _RECORD).read_text())["matrix_version"])


def candidate_model(
    name: str, parameters: Parameters, interactions: Interactions
) -> ScorerRecommender:
    """An unfitted model of that name, for the train part of the matrix."""
    own = items_for(name, interactions)
    return model_for(name, parameters, own, own.train)


def items_for(name: str, interactions: Interactions) -> Interactions:
    """Add posts without interactions if the model can score them by their text.

    The model serves the same items with which it is evaluated, so these posts take part in the
    ranking.
    """
    from recsys.models import catalog

    return interactions.with_posts_of_no_one() if name in catalog.FROM_TEXT else interactions


def model_for(
    name: str, parameters: Parameters, interactions: Interactions, matrix: InteractionMatrix
) -> ScorerRecommender:
    """An unfitted model of that name, with the texts of the matrix's items if it uses texts."""
    from recsys.models import catalog

    texts = interactions.texts_of(matrix.items) if name in catalog.FROM_TEXT else None
    return catalog.new_model(name, parameters, texts)


def evaluate_model(version: str, model: ScorerRecommender, interactions: Interactions) -> Candidate:
    """Fit on interactions before the cut, evaluate on those after it.

    Raises RecommendError if there is too little data to learn from, or no user to evaluate with.
    """
    from recsys import evaluate

    own = items_for(model.name, interactions)
    train, test = own.train, own.test
    started = time.monotonic()
    try:
        model.fit(train.csr, train.times)
    except (ValueError, MemoryError, ImportError) as error:
        raise RecommendError(f"{interactions.window}: {error}") from error
    fitted = time.monotonic()
    evaluation = evaluate(model, train, test, EVALUATED_AT)
    if len(evaluation.user_indices) == 0:
        raise RecommendError(
            f"{interactions.window}: no user took up a post after the cut that was known before it,"
            " so no model can be evaluated: load more engagement_events",
        )
    return Candidate(
        version=version,
        matrix_version=interactions.version,
        parameters=model.parameters,
        evaluation=evaluation,
        fit_seconds=fitted - started,
        evaluate_seconds=time.monotonic() - fitted,
    )


def beats_popularity(candidate: Candidate, popularity: Candidate) -> Admission:
    """Passes if the whole bootstrap interval of the gain over popularity is above zero."""
    from recsys import bootstrap_difference

    if candidate.matrix_version != popularity.matrix_version:
        return Admission(
            False,
            f"{candidate.model} was evaluated on matrix {candidate.matrix_version}, popularity on"
            f" {popularity.matrix_version}: materialize both on one matrix",
            {},
        )
    gain = bootstrap_difference(candidate.evaluation, popularity.evaluation, DECIDED_AT)
    does = "beats" if gain.candidate_wins else "does not beat"
    return Admission(
        gain.candidate_wins,
        f"{candidate.model} {does} popularity: {_told(gain)}",
        {
            f"{candidate.model}_{DECIDING_METRIC}": candidate.evaluation.metrics[DECIDING_METRIC],
            f"popularity_{DECIDING_METRIC}": popularity.evaluation.metrics[DECIDING_METRIC],
            "gain": gain.mean,
            "gain_low": gain.low,
            "gain_high": gain.high,
        },
    )


def keeps_up_with(champion: Mapping[str, Any] | None, candidate: Candidate) -> Admission:
    """Passes unless the interval of the difference to the champion's recipe is below zero.

    `champion` is the champion's manifest. The recipe is fitted and evaluated on the same split. The
    champion's recorded metric is not comparable, since it comes from another split, which was
    easier or harder. Its published factors are not either, since they have learned from the days of
    the evaluation.
    """
    from recsys import bootstrap_difference

    if champion is None:
        return Admission(True, "there is no champion yet", {})
    recorded = {f"champion_recorded_{DECIDING_METRIC}": champion["metrics"][DECIDING_METRIC]}
    if _recipe(champion["model"], champion["parameters"]) == _recipe(
        candidate.model, candidate.parameters
    ):
        return Admission(True, f"the recipe of champion {champion['version']} itself", recorded)
    interactions = matrix_of(candidate)
    recipe = candidate_model(champion["model"], champion["parameters"], interactions)
    incumbent = evaluate_model("", recipe, interactions)
    difference = bootstrap_difference(candidate.evaluation, incumbent.evaluation, DECIDED_AT)
    passed = difference.high >= 0
    does = "keeps up with" if passed else "falls behind"
    return Admission(
        passed,
        f"{candidate.model} {does} champion {champion['version']}: {_told(difference)}",
        {
            **recorded,
            f"champion_{DECIDING_METRIC}": incumbent.evaluation.metrics[DECIDING_METRIC],
            "difference": difference.mean,
            "difference_low": difference.low,
            "difference_high": difference.high,
        },
    )


def candidates_table(evaluated: Sequence[Candidate], popularity: Candidate) -> str:
    """All candidates as Markdown, with their gain over popularity and its 95 % interval."""
    from recsys import bootstrap_difference

    names = (
        *(DECIDING_METRIC, "recall@20", "map@10", "auc"),
        *("coverage@10", "novelty@10", "diversity@10", "popularity_lift@10", "gini@10"),
    )
    lines = [
        f"| model | {' | '.join(names)} | gain over popularity | fit s |",
        "|---" * (len(names) + 3) + "|",
    ]
    for candidate in evaluated:
        figures = " | ".join(f"{_figure(candidate, name):.4f}" for name in names)
        gain = bootstrap_difference(candidate.evaluation, popularity.evaluation, DECIDED_AT)
        lines.append(
            f"| {candidate.model} | {figures} | {_told(gain)} | {candidate.fit_seconds:.2f} |"
        )
    return "\n".join(lines)


def metrics_table(metrics: Mapping[str, float]) -> str:
    """Metrics as Markdown: one row a metric, one column a cutoff."""
    names = dict.fromkeys(name.partition("@")[0] for name in metrics if "@" in name)
    rows = [
        f"| {name} | " + " | ".join(f"{metrics[f'{name}@{k}']:.4f}" for k in EVALUATED_AT) + " |"
        for name in names
    ]
    header = "| | " + " | ".join(f"@{k}" for k in EVALUATED_AT) + " |"
    rule = "|---" * (len(EVALUATED_AT) + 1) + "|"
    return "\n".join([header, rule, *rows]) + f"\n\nAUC {metrics['auc']:.4f}"


def _figure(candidate: Candidate, name: str) -> float:
    """A metric; NaN if the version that evaluated the candidate did not have it."""
    return candidate.evaluation.metrics.get(name, math.nan)


def _recipe(model: str, parameters: Parameters) -> tuple[str, Mapping[str, object]]:
    return model, dict(parameters)


def _told(difference: Difference) -> str:
    return (
        f"{DECIDING_METRIC} {difference.mean:+.4f}, 95 % interval"
        f" [{difference.low:+.4f}, {difference.high:+.4f}]"
    )
