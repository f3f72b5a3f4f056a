"""Measures which model finds the next film of MovieTweetings: NDCG@10 under leave-last-out.

    python -m bench.recommenders.next_item [--after] [MODEL ...]

A rating of 7 or more is an interaction; weights of matrix models halve every 60 days. The last film
of each user with two or more is tested, or with --after the first one after 2013-08-01. Models of
sequences need the extra `deep`, and have their defaults; the parameters of the others are those of
`movietweetings`. The interval is of the paired difference to the NDCG@10 of the leader: the first
model of sequences that is measured; so it stands first.
"""

from __future__ import annotations

import argparse
import hashlib
import time

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bench.recommenders.movietweetings import CHOSEN_ON_JULY, CUT, HALF_LIFE_DAYS, LIKED, ratings
from recsys import Evaluation, InteractionMatrix, bootstrap_difference, evaluate
from recsys.evaluation.next_item import NextItem, leave_last_out, next_after
from recsys.models.catalog import COLLABORATIVE, SEQUENTIAL, Parameters, new_model
from recsys.models.deep.next_item_model import NextItemModel
from recsys.recommender import ScorerRecommender


def main() -> None:
    """Measure, and print a row for each model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=(*SEQUENTIAL, *COLLABORATIVE))
    parser.add_argument("--after", action="store_true")
    options = parser.parse_args()
    rows = interactions()
    split = next_after(rows, CUT) if options.after else last_out(rows)
    users, items = split.train.csr.shape
    print(
        f"{users:,} users, {items:,} items, {split.train.csr.nnz:,} interactions;"
        f" {split.test.csr.nnz:,} tested, {split.unknown_items} next items unknown\n"
    )
    print(f"| model | NDCG@10 | HR@10 | the leader's gain, 95 % | fit s |\n{'|---' * 5}|")
    leader: Evaluation | None = None
    for name in options.models:
        chosen = [CHOSEN_ON_JULY[name]] if name in CHOSEN_ON_JULY else []
        for parameters in ({}, *chosen):
            model = new_model(name, parameters)
            started = time.perf_counter()
            model.fit(split.train.csr, split.train.times)
            seconds = time.perf_counter() - started
            found = evaluate(model, split.train, split.test, (10,))
            leader = leader or (found if name in SEQUENTIAL else None)
            print(row(found, leader, parameters, seconds), flush=True)
            tell_epochs(model)


def last_out(rows: pa.Table) -> NextItem:
    """Leave-last-out over the users and items of what is left to learn."""
    return leave_last_out(InteractionMatrix.from_table(rows))


def interactions() -> pa.Table:
    """A table with a row for each rating that counts; weights halve with age before the newest."""
    given = ratings()
    liked = given.filter(pc.greater_equal(given["value"], LIKED))
    seconds = np.array(liked["event_time"].cast(pa.int64()))
    weights = 0.5 ** ((seconds.max() - seconds) / 86_400 / HALF_LIFE_DAYS)
    return liked.set_column(2, "weight", pa.array(weights))


def row(
    found: Evaluation, leader: Evaluation | None, parameters: Parameters, seconds: float
) -> str:
    """The row of a model."""
    told = ", ".join(f"{name} {value:g}" for name, value in parameters.items())
    gain = ""
    if leader is not None and leader is not found:
        difference = bootstrap_difference(leader, found)
        gain = f"{difference.mean:+.4f} [{difference.low:+.4f}, {difference.high:+.4f}]"
    return (
        f"| `{found.model}`{': ' + told if told else ''} | {found.metrics['ndcg@10']:.4f}"
        f" | {found.metrics['hit_rate@10']:.4f} | {gain} | {seconds:.1f} |"
    )


def tell_epochs(model: ScorerRecommender) -> None:
    """Print what the epochs of a model of sequences took, and a digest of what it learned."""
    if not isinstance(model, NextItemModel):
        return
    made = model.epochs_made
    digest = hashlib.sha256(b"".join(each.tobytes() for each in model.scorer.arrays().values()))
    print(
        f"<!-- {len(made)} epochs, {np.median([each.seconds for each in made]):.1f} s each by the"
        f" clock, {np.median([each.cpu_seconds for each in made]):.1f} s of processors; validated"
        f" {max(each.validated or 0 for each in made):.4f}; arrays {digest.hexdigest()[:16]} -->"
    )


if __name__ == "__main__":
    main()
