"""Chooses a model's parameters on a validation slice, within a budget.

Belongs here: the search spaces, the search, and its record. The search does not use test data: the
slice is part of the training matrix. Optuna is imported when a search begins.

Source: Akiba et al., "Optuna: A Next-generation Hyperparameter Optimization Framework" (KDD 2019);
its TPE sampler.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.evaluation import metrics
from recsys.interaction_file import hold_out
from recsys.matrix import InteractionMatrix
from recsys.models.catalog import Parameters, new_model
from recsys.scoring.ranking import ItemLists

_VALIDATED_AT = 10

Space = Callable[[Any], dict[str, int | float | str]]


def _als(trial: Any) -> dict[str, int | float | str]:
    return {
        "factors": trial.suggest_int("factors", 16, 128, log=True),
        "regularization": trial.suggest_float("regularization", 0.1, 300, log=True),
        "alpha": trial.suggest_float("alpha", 1, 40, log=True),
    }


def _ials(trial: Any) -> dict[str, int | float | str]:
    return {
        "factors": trial.suggest_int("factors", 16, 256, log=True),
        "regularization": trial.suggest_float("regularization", 1e-3, 10, log=True),
        "unobserved_weight": trial.suggest_float("unobserved_weight", 1e-3, 1, log=True),
        "exponent": trial.suggest_float("exponent", 0, 1),
    }


def _graph_filter(trial: Any) -> dict[str, int | float | str]:
    return {
        "width": trial.suggest_int("width", 16, 2000, log=True),
        "neighbours": trial.suggest_int("neighbours", 20, 500, log=True),
        "low_pass_weight": trial.suggest_float("low_pass_weight", 0, 3),
        "low_pass_user_exponent": trial.suggest_float("low_pass_user_exponent", 0, 1),
        "low_pass_item_exponent": trial.suggest_float("low_pass_item_exponent", 0, 1),
        "user_exponent": trial.suggest_float("user_exponent", 0, 1.2),
        "history_exponent": trial.suggest_float("history_exponent", 0, 1),
        "item_exponent": trial.suggest_float("item_exponent", -0.2, 0.7),
        "weight_exponent": trial.suggest_float("weight_exponent", 0, 1),
    }


def _ease(trial: Any) -> dict[str, int | float | str]:
    return {"regularization": trial.suggest_float("regularization", 1, 5000, log=True)}


def _cosine(trial: Any) -> dict[str, int | float | str]:
    return {
        "neighbours": trial.suggest_int("neighbours", 5, 500, log=True),
        "asymmetry": trial.suggest_float("asymmetry", 0.3, 1),
    }


def _bm25(trial: Any) -> dict[str, int | float | str]:
    return {
        "neighbours": trial.suggest_int("neighbours", 5, 500, log=True),
        "saturation": trial.suggest_float("saturation", 0.2, 20, log=True),
        "length": trial.suggest_float("length", 0, 1),
    }


def _bpr(trial: Any) -> dict[str, int | float | str]:
    return {
        "factors": trial.suggest_int("factors", 8, 128, log=True),
        "regularization": trial.suggest_float("regularization", 1e-3, 0.1, log=True),
        "learning_rate": trial.suggest_float("learning_rate", 5e-3, 0.2, log=True),
        "iterations": trial.suggest_int("iterations", 10, 200, log=True),
    }


def _blend(trial: Any) -> dict[str, int | float | str]:
    return {
        "weight": trial.suggest_float("weight", 0.1, 3, log=True),
        "base_width": trial.suggest_int("base_width", 16, 2000, log=True),
        "base_low_pass_weight": trial.suggest_float("base_low_pass_weight", 0, 3),
        "added_factors": trial.suggest_int("added_factors", 16, 256, log=True),
        "added_regularization": trial.suggest_float("added_regularization", 1e-3, 10, log=True),
        "added_exponent": trial.suggest_float("added_exponent", 0, 1),
    }


def _lmf(trial: Any) -> dict[str, int | float | str]:
    return {
        "factors": trial.suggest_int("factors", 8, 64, log=True),
        "regularization": trial.suggest_float("regularization", 0.1, 20, log=True),
        "iterations": trial.suggest_int("iterations", 10, 100, log=True),
    }


SPACES: Mapping[str, Space] = {
    "als": _als,
    "ials": _ials,
    "graph_filter": _graph_filter,
    "ease": _ease,
    "item_cosine": _cosine,
    "item_tfidf": _cosine,
    "item_bm25": _bm25,
    "bpr": _bpr,
    "lmf": _lmf,
    "blend": _blend,
}


@dataclass(frozen=True)
class Trial:
    """One set of parameters, and its NDCG@10 on the slice; None if the fit failed."""

    parameters: Parameters
    ndcg: float | None
    reason: str = ""


@dataclass(frozen=True)
class Study:
    """All trials of a search in their order, the model's defaults first, and the best of them."""

    model: str
    seed: int
    trials: Sequence[Trial]

    @property
    def best(self) -> Trial:
        """The trial that ranked best; the earlier among equals."""
        fitted = [trial for trial in self.trials if trial.ndcg is not None]
        if not fitted:
            raise ValueError(f"no trial of {self.model} could be fitted: {self.trials[-1].reason}")
        return max(fitted, key=lambda trial: trial.ndcg or 0.0)


def tune(
    name: str,
    train: InteractionMatrix,
    *,
    trials: int = 20,
    seconds: float | None = None,
    share: float = 0.1,
    seed: int = 0,
) -> Study:
    """Search for the parameters that rank the slice best.

    Of each user's items in `train` a random `share` is the slice. The search ends after `trials`,
    or with the first that ends later than `seconds`; without `seconds` one seed gives one study.
    Raises ValueError for a model that has nothing to tune.
    """
    import optuna

    if name not in SPACES:
        raise ValueError(f"{name} has nothing to tune; these have: {', '.join(SPACES)}")
    pairs = hold_out(train, share, seed)
    done: list[Trial] = [_tried(name, new_model(name).parameters, pairs.train, pairs.test)]

    def objective(trial: Any) -> float:
        tried = _tried(name, SPACES[name](trial), pairs.train, pairs.test)
        done.append(tried)
        return tried.ndcg if tried.ndcg is not None else 0.0

    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        sampler = optuna.samplers.TPESampler(seed=seed)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        study.optimize(objective, n_trials=max(0, trials - 1), timeout=seconds)
    finally:
        optuna.logging.set_verbosity(verbosity)
    return Study(name, seed, tuple(done))


def _tried(
    name: str, parameters: Parameters, train: InteractionMatrix, test: InteractionMatrix
) -> Trial:
    truth = ItemLists.of(test.csr)
    evaluated = np.flatnonzero(truth.lengths)
    if len(evaluated) == 0:
        raise ValueError("no user has two items, so none can be held out: widen the data window")
    try:
        model = new_model(name, parameters).fit(train.csr)
    except ValueError as error:
        return Trial(parameters, None, str(error))
    ids, _ = model.recommend(evaluated, train.csr[evaluated], _VALIDATED_AT)
    hits = metrics.Hits.of(ids, truth.take(evaluated), test.csr.shape[1])
    return Trial(parameters, float(metrics.ndcg(hits, _VALIDATED_AT).mean()))
