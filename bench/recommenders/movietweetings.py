"""Measures every model on MovieTweetings, cut at 2013-08-01: NDCG@10 and gain over popularity.

    python -m bench.recommenders.movietweetings [MODEL ...]

A rating of 7 or more is an interaction; its weight halves every 60 days before the cut. A model
passes if the whole 95 % interval of its gain over popularity is above zero. Each model runs with
its defaults. Models that rank better with other parameters run again with parameters that were
chosen on July 2013, from data before it and never from test data. A last table has the errors of
predicted ratings, for all ratings.
"""

from __future__ import annotations

import gzip
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from recsys import Evaluation, bootstrap_difference, evaluate, temporal_split
from recsys.evaluation.ratings import gain_in_mse, mae, rmse, split_ratings
from recsys.models.catalog import COLLABORATIVE, Parameters, new_model
from recsys.models.content import Content
from recsys.models.hybrid import Hybrid
from recsys.models.rating_predictors import BiasedFactors, Biases

FOLDER = Path(__file__).parents[3] / "shared/data/movietweetings"
CUT = datetime(2013, 8, 1, tzinfo=UTC)
CHOSEN_ON_JULY: Mapping[str, Parameters] = {
    "item_bm25": {"length": 0.0},
    "als": {"regularization": 300.0},
    "ials": {"regularization": 0.3, "exponent": 1.0},
    "bpr": {"iterations": 20},
    "lmf": {"factors": 16, "regularization": 5.0, "iterations": 60},
}
LIKED = 7
HALF_LIFE_DAYS = 60


def main() -> None:
    """Measure, and print a row for each model."""
    if not FOLDER.exists():
        sys.exit(f"{FOLDER} is not there")
    split = temporal_split(interactions(), CUT)
    texts = texts_of(split.train.items)
    baseline = evaluate(new_model("popularity").fit(split.train.csr), split.train, split.test)
    print(f"| model | NDCG@10 | gain over popularity | 95 % interval | beats it |\n{'|---' * 5}|")
    for name in sys.argv[1:] or (*COLLABORATIVE, Content.name, Hybrid.name):
        chosen = [CHOSEN_ON_JULY[name]] if name in CHOSEN_ON_JULY else []
        for parameters in ({}, *chosen):
            model = new_model(name, parameters, texts).fit(split.train.csr)
            print(row(evaluate(model, split.train, split.test), baseline, parameters), flush=True)
    print_errors_of_ratings()


def row(found: Evaluation, baseline: Evaluation, parameters: Parameters) -> str:
    """The row of a model."""
    gain = bootstrap_difference(found, baseline)
    told = ", ".join(f"{name} {value:g}" for name, value in parameters.items())
    return (
        f"| `{found.model}`{': ' + told if told else ''} | {found.metrics['ndcg@10']:.4f}"
        f" | {gain.mean:+.4f} | [{gain.low:+.4f}, {gain.high:+.4f}]"
        f" | {'yes' if gain.candidate_wins else 'no'} |"
    )


def print_errors_of_ratings() -> None:
    """Print MAE and RMSE of each predictor, and its decrease of the squared error."""
    train, test = split_ratings(ratings(), CUT)
    before = np.full(len(test), train.value.mean())
    print(f"\n| ratings by | MAE | RMSE | gain in squared error | 95 % interval |\n{'|---' * 5}|")
    print(f"| their mean | {mae(test.value, before):.4f} | {rmse(test.value, before):.4f} | | |")
    for predictor in (Biases(), BiasedFactors()):
        found = predictor.fit(train).predict(test)
        mean, low, high = gain_in_mse(test, found, before)
        print(
            f"| `{predictor.name}` | {mae(test.value, found):.4f} | {rmse(test.value, found):.4f}"
            f" | {mean:+.4f} | [{low:+.4f}, {high:+.4f}] |",
            flush=True,
        )
        before = found


def ratings() -> pa.Table:
    """A table with a row for each rating."""
    with gzip.open(FOLDER / "engagement_events.ndjson.gz") as file:
        events = pa.json.read_json(file)
    times = events["event_time"].cast(pa.timestamp("s", "UTC"))
    columns = [events["user_id"], events["post_id"], events["value"], times]
    return pa.table(columns, names=["user_id", "item_id", "value", "event_time"])


def interactions() -> pa.Table:
    """A table with a row for each rating that counts as an interaction."""
    given = ratings()
    liked = given.filter(pc.greater_equal(given["value"], LIKED))
    seconds = CUT.timestamp() - np.array(liked["event_time"].cast(pa.int64()))
    weights = 0.5 ** (np.maximum(seconds, 0) / 86_400 / HALF_LIFE_DAYS)
    return liked.set_column(2, "weight", pa.array(weights))


def texts_of(items: pa.Array) -> list[str | None]:
    """Title and genres of each film."""
    with gzip.open(FOLDER / "posts.ndjson.gz") as file:
        posts = pa.json.read_json(file)
    text = pc.binary_join_element_wise(posts["content"], pc.binary_join(posts["tags"], " "), " ")
    found: list[str | None] = text.take(pc.index_in(items, posts["post_id"])).to_pylist()
    return found


if __name__ == "__main__":
    main()
