"""Which labels are held out, what is missing, and which model wins."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from social_assets.transform.text.champion import (
    compare,
    confusion_table,
    evaluated,
    evaluation_of,
    models_table,
    record_of,
    train_challenger,
)
from social_assets.transform.text.labels import LabelledTexts, split
from social_assets.transform.text.models.linear import TrainingError
from social_assets.transform.text.models.model import LABELS, TextScores, placed

TEXTS = [f"text {n} {'good' if n % 2 else 'bad'}" for n in range(400)]
TRUTH = ["positive" if n % 2 else "negative" for n in range(400)]


class FixedModel:
    """A model that is right for a part of the texts, and neutral for the others."""

    name = "fixed"
    languages: tuple[str, ...] = ()

    def __init__(self, version: str, wrong_every: int = 0) -> None:
        self.version = version
        self._wrong_every = wrong_every

    def score(self, texts: Sequence[str | None]) -> TextScores:
        given = [
            LABELS.index("positive" if "good" in (text or "") else "negative") for text in texts
        ]
        if self._wrong_every:
            given[:: self._wrong_every] = [1] * len(given[:: self._wrong_every])
        return placed(len(texts), range(len(texts)), 0.0, given)


def test_a_fifth_is_held_out_and_a_text_is_on_one_side_alone() -> None:
    found = split(TEXTS * 2, TRUTH * 2)
    assert 100 < len(found.held_out) < 220
    assert set(found.held_out.texts).isdisjoint(found.to_learn.texts)
    assert len(found.held_out) + len(found.to_learn) == 800


def test_lone_surrogates_are_held_out_and_learned_as_other_characters() -> None:
    texts = [f"\ud800 {text}" for text in TEXTS]
    found = split(texts, TRUTH)
    model = train_challenger(found)
    assert evaluated(model, found.held_out).evaluation.accuracy.value > 0.95


@pytest.mark.parametrize(
    ("texts", "labels", "told"),
    [
        ([], [], "the labelled texts are none"),
        (TEXTS[1::2], TRUTH[1::2], "two or three labels"),
        (TEXTS[:60], TRUTH[:60], "at least 10 texts of each label"),
        (TEXTS, ["angry"] * 400, "unknown labels angry"),
    ],
)
def test_too_few_or_unknown_labels_say_what_is_needed(
    texts: list[str], labels: list[str], told: str
) -> None:
    with pytest.raises(TrainingError, match=told):
        train_challenger(split(texts, labels))


def test_enough_labels_lack_nothing_and_others_say_how_many_to_load() -> None:
    assert split(TEXTS, TRUTH).lacking() == ""
    assert "load some 60 labelled texts" in split(TEXTS[:40], TRUTH[:40]).lacking()
    assert "the held-out texts are none" in split([], []).lacking()


def test_a_better_challenger_wins_and_a_worse_one_does_not() -> None:
    labels = split(TEXTS, TRUTH)
    good, bad = FixedModel("good"), FixedModel("bad", wrong_every=4)
    won = compare(labels, good, bad)
    assert won.is_won
    assert won.decision.endswith("fixed good becomes champion")
    lost = compare(labels, bad, good)
    assert not lost.is_won
    assert lost.decision.endswith("fixed good stays champion")
    assert lost.gain.value == -won.gain.value


def test_a_challenger_that_is_as_good_does_not_win() -> None:
    labels = split(TEXTS, TRUTH)
    same = compare(labels, FixedModel("new"), FixedModel("old"))
    assert not same.is_won
    assert (same.gain.low, same.gain.high) == (0, 0)
    assert "already" in compare(labels, FixedModel("old"), FixedModel("old")).decision


def test_no_held_out_text_is_an_error() -> None:
    with pytest.raises(ValueError, match="no text"):
        compare(split([], []), FixedModel("new"), FixedModel("old"))


def test_the_record_of_an_evaluation_is_read_back() -> None:
    labels = split(TEXTS, TRUTH)
    found = evaluated(FixedModel("1", wrong_every=3), labels.held_out).evaluation
    record = json.loads(json.dumps(record_of(labels, found)))
    assert evaluation_of(record) == found
    assert record["labels"]["held_out"] == labels.held_out.counts()


def test_tables_show_roles_and_cells() -> None:
    on = LabelledTexts(("good", "bad", "bad"), ("positive", "negative", "positive"))
    model = evaluated(FixedModel("1"), on)
    assert confusion_table(model.evaluation).splitlines()[2:] == [
        "| **negative** | 1 | 0 | 0 | 0 |",
        "| **neutral** | 0 | 0 | 0 | 0 |",
        "| **positive** | 1 | 0 | 1 | 0 |",
    ]
    labels = split(TEXTS, TRUTH)
    table = models_table(compare(labels, FixedModel("new"), FixedModel("old")))
    assert [line.split(" | ")[0] for line in table.splitlines()[2:]] == [
        "| challenger",
        "| champion",
        "| lexicon",
    ]
