"""Measures how long models of the addiction level take to be evaluated, and what is found.

    python -m bench.understand.predictions --rows 100000

Rows are drawn: ten a person, whose rating is independent of what the models read unless it is
planted. An honest result of the former has no champion.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np

from social_assets.predictions.evaluation import evaluate
from social_assets.predictions.watching import CATEGORIES, NUMBERS, WatchingRows


def main() -> None:
    """Print what was found, without and with a planted relation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    options = parser.parse_args()
    for planted in (False, True):
        rows = drawn(options.rows, planted)
        started = time.perf_counter()
        found = evaluate(rows)
        print(
            json.dumps(
                {
                    "rows": found.rows,
                    "people": found.users,
                    "planted": planted,
                    "seconds": round(time.perf_counter() - started, 1),
                    "champion": found.champion,
                    "reason": found.reason,
                    "first_of_importance": next(iter(found.importance)),
                    "rmse": {each.model: round(each.rmse, 3) for each in found.models},
                }
            ),
            flush=True,
        )


def drawn(count: int, planted: bool) -> WatchingRows:
    """Rows of people with ten each; where planted, the scroll rate tells a third of the rating."""
    random = np.random.default_rng(1)
    users = np.arange(count) // 10
    numbers = random.normal(size=(count, len(NUMBERS)))
    codes = random.integers(6, size=(count, len(CATEGORIES)))
    own = random.integers(0, 11, int(users[-1]) + 1)[users].astype(np.float64)
    if planted:
        own = np.clip(own + 3 * numbers[:, NUMBERS.index("scroll_rate")], 0, 10)
    genders = np.array(["Female", "Male"], dtype=object)[users % 2]
    return WatchingRows(np.column_stack([numbers, codes]), own, users, {"gender": genders})


if __name__ == "__main__":
    main()
