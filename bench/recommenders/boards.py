"""Measures every model on a file of interactions: seconds, memory, Recall@20 and NDCG@20.

    python -m bench.recommenders.boards [--train F] [--test F] [MODEL ...]

Each model runs in its own process, so that the peak memory is that of the model. Without --test, a
random tenth of each user's items is the test set; such figures compare models with each other, and
not with a public board.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

GOWALLA = Path(__file__).parents[3] / "shared/data/gowalla/train.txt"
TARGETS = {"recall@20": 0.1920, "ndcg@20": 0.1600, "fit_seconds": 60, "recommend_seconds": 60}
MODELS = (
    "popularity",
    "item_cosine",
    "item_tfidf",
    "item_bm25",
    "als",
    "ials",
    "bpr",
    "lmf",
    "ease",
    "graph_filter",
)


def main() -> None:
    """Measure, and print a row for each model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=MODELS)
    parser.add_argument("--train", type=Path, default=GOWALLA)
    parser.add_argument("--test", type=Path)
    options = parser.parse_args()
    if not options.train.exists():
        sys.exit(f"{options.train} is not there: give a file of pairs with --train")
    print(f"| model | fit s | recommend s | peak GiB | Recall@20 | NDCG@20 |\n{'|---' * 6}|")
    for model in options.models:
        print(row(model, options.train, options.test), flush=True)
    if options.test:
        print(f"\ntargets of the best on Gowalla: {TARGETS}, peak below 8 GiB")


def row(model: str, train: Path, test: Path | None) -> str:
    """The row of a model, or the reason why there is none."""
    command = [sys.executable, "-W", "ignore", "-m", "social_assets", "recsys", "evaluate"]
    command += ["--train", str(train), "--model", model, "--format", "json"]
    command += ["--test", str(test)] if test else []
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"| {model} | {done.stderr.strip().splitlines()[-1]} |"
    found = json.loads(done.stdout)
    return (
        f"| {model} | {found['fit_seconds']:.1f} | {found['recommend_seconds']:.1f}"
        f" | {found['peak_memory_bytes'] / 2**30:.2f} | {found['recall@20']:.4f}"
        f" | {found['ndcg@20']:.4f} |"
    )


if __name__ == "__main__":
    main()
