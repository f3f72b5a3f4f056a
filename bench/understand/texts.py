"""Measures the text models: texts a second, memory, and how right their labels are.

    python -m bench.understand.texts [FILE.ndjson] [--texts N]

Each line of FILE is an object with `text` and `label` (negative, neutral, positive). The linear
model learns from a random half of its lines and both models are evaluated on the other half.
Without a FILE, texts and labels are made up, and only speed means something.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figure
from social_assets.transform.text.models.evaluation import evaluate_labels
from social_assets.transform.text.models.lexicon import lexicon_model
from social_assets.transform.text.models.linear import train
from social_assets.transform.text.models.model import LABELS, TextModel

_PLAIN = """the a flight was to and I you my for it is on with that not but very @united just have
so this we me they are https://example.com/x in hours today gate from your what #travel no can"""
_TOLD = {
    "negative": "bad worst delayed awful terrible lost rude cancelled angry hate",
    "neutral": "plane seat morning ticket city question",
    "positive": "good great thanks love best awesome happy amazing :) kind",
}


@dataclass(frozen=True)
class LabelledText:
    """A text, and what a person says of it."""

    text: str
    label: str


def main() -> None:
    """Measure, and print a line a figure. Exits with 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--texts", type=int, default=100_000, help="to score for the speed")
    options = parser.parse_args()
    given = _read(options.file) if options.file else _made_up(14_640)
    random.Random(0).shuffle(given)  # noqa: S311
    half = len(given) // 2
    learned, held_out = given[:half], given[half:]
    begun = time.monotonic()
    trained = train([x.text for x in learned], [x.label for x in learned], "bench")
    figures = [Figure("linear", "training", time.monotonic() - begun, "s")]
    for model, speed, targets in (
        (lexicon_model(), 40_000, (None, None)),
        (trained, 20_000, (0.82, 0.77) if options.file else (None, None)),
    ):
        figures += _speed(model, given, options.texts, speed)
        figures += _rightness(model, held_out, targets)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)
    figures.append(Figure("both", "peak memory", peak, "GiB", 2))
    print("\n".join(figure.line() for figure in figures))
    if not all(figure.is_met for figure in figures):
        raise SystemExit(1)


def _read(file: Path) -> list[LabelledText]:
    rows = [json.loads(line) for line in file.read_text().splitlines() if line.strip()]
    return [LabelledText(row["text"], row["label"]) for row in rows]


def _made_up(size: int) -> list[LabelledText]:
    drawn = random.Random(2026)  # noqa: S311
    found = []
    for _ in range(size):
        label = drawn.choices(LABELS, (6, 2, 2))[0]
        words = drawn.choices(_PLAIN.split(), k=drawn.randint(6, 24))
        for _ in range(drawn.randint(1, 2)):
            words.insert(drawn.randrange(len(words)), drawn.choice(_TOLD[label].split()))
        found.append(LabelledText(" ".join(words), label))
    return found


def _speed(model: TextModel, given: Sequence[LabelledText], size: int, target: int) -> list[Figure]:
    """Texts a second, and a second of one processor: other work lowers the first."""
    texts = [given[n % len(given)].text for n in range(size)]
    model.score(texts[:1000])
    begun, used = time.monotonic(), time.process_time()
    model.score(texts)
    seconds, cpu_seconds = time.monotonic() - begun, time.process_time() - used
    return [
        Figure(model.name, "texts scored", size / seconds, "texts/s", target, is_upper=False),
        Figure(model.name, "by one processor", size / cpu_seconds, "texts/s"),
    ]


def _rightness(
    model: TextModel, held_out: Sequence[LabelledText], targets: tuple[float | None, float | None]
) -> list[Figure]:
    labels = model.score([x.text for x in held_out]).label_names()
    found = evaluate_labels([x.label for x in held_out], labels)
    return [
        Figure(model.name, f"{name} {interval}", interval.value, "", target, is_upper=False)
        for name, interval, target in (
            ("accuracy", found.accuracy, targets[0]),
            ("macro-F1", found.macro_f1, targets[1]),
        )
    ]


if __name__ == "__main__":
    main()
