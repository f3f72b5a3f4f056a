"""Whether the champion of the text models still is as right as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from social_assets.quality.text_models import ChampionNow, champion_now
from social_assets.transform.text import registry
from social_assets.transform.text.champion import (
    EvaluatedModel,
    evaluated,
    record_of,
    train_challenger,
)
from social_assets.transform.text.labels import LabelSplit, split
from social_assets.transform.text.models.evaluation import Interval, LabelEvaluation

WORDS = {"positive": "wicked", "negative": "lovely"}


def labels(turned: bool = False) -> LabelSplit:
    of = [label for label in WORDS for _ in range(150)]
    texts = [f"flight {n} {WORDS[label]}" for n, label in enumerate(of)]
    return split(texts, of[::-1] if turned else of)


def evaluation(macro_f1: Interval) -> LabelEvaluation:
    return LabelEvaluation(100, macro_f1, macro_f1, ())


def now(
    *, macro_f1: float = 0.8, before: float | None = 0.8, gain: float | None = 0.3
) -> ChampionNow:
    def around(value: float) -> Interval:
        return Interval(value, value - 0.05, value + 0.05)

    return ChampionNow(
        EvaluatedModel("linear", "1", (), evaluation(around(macro_f1))),
        None if before is None else evaluation(around(before)),
        None if gain is None else around(gain),
    )


def test_a_champion_is_right_within_the_interval_of_its_training() -> None:
    assert now().is_right
    assert now(macro_f1=0.76).is_right
    assert now(macro_f1=0.9).is_right
    fallen = now(macro_f1=0.74)
    assert fallen.is_worse_than_before and not fallen.is_worse_than_lexicon
    assert not fallen.is_right


def test_a_champion_is_not_right_if_the_lexicon_is_better_beyond_the_interval() -> None:
    assert now(gain=0.0).is_right
    assert now(gain=-0.04).is_right
    worse = now(gain=-0.06)
    assert worse.is_worse_than_lexicon and not worse.is_worse_than_before
    assert not worse.is_right


def test_the_lexicon_as_champion_is_compared_with_nothing() -> None:
    found = champion_now(labels(), None)
    assert found is not None
    assert (found.model.name, found.before, found.gain) == ("lexicon", None, None)
    assert found.is_right


def test_without_held_out_texts_nothing_is_evaluated() -> None:
    assert champion_now(split([], []), None) is None


@pytest.mark.parametrize(("turned", "is_right"), [(False, True), (True, False)])
def test_a_trained_champion_is_right_on_its_labels_and_not_on_opposite_ones(
    tmp_path: Path, turned: bool, is_right: bool
) -> None:
    model = train_challenger(labels())
    record = record_of(labels(), evaluated(model, labels().held_out).evaluation)
    published = registry.publish(tmp_path, model, record)
    found = champion_now(labels(turned), published)
    assert found is not None
    assert found.is_right is is_right
