"""Accuracy, macro-F1 and their intervals."""

from __future__ import annotations

import pytest
from sklearn.metrics import f1_score

from social_assets.transform.text.models.evaluation import (
    evaluate_labels,
    gain_in_macro_f1,
    is_held_out,
)

TRUTH = ["negative"] * 50 + ["neutral"] * 30 + ["positive"] * 20
GIVEN = ["negative"] * 40 + ["neutral"] * 35 + ["positive"] * 25


def test_figures_are_those_of_scikit_learn() -> None:
    found = evaluate_labels(TRUTH, GIVEN)
    assert found.accuracy.value == sum(a == b for a, b in zip(TRUTH, GIVEN, strict=True)) / 100
    assert found.macro_f1.value == pytest.approx(f1_score(TRUTH, GIVEN, average="macro"))
    assert found.texts == 100


def test_intervals_hold_the_value_and_shrink_with_texts() -> None:
    few, many = evaluate_labels(TRUTH, GIVEN), evaluate_labels(TRUTH * 25, GIVEN * 25)
    for small, large in ((few.accuracy, many.accuracy), (few.macro_f1, many.macro_f1)):
        assert small.low < small.value < small.high
        assert large.high - large.low < 0.4 * (small.high - small.low)
    assert few == evaluate_labels(TRUTH, GIVEN)


def test_a_text_without_label_is_wrong() -> None:
    found = evaluate_labels(["positive", "positive"], ["positive", None])
    assert found.accuracy.value == 0.5


def test_a_truth_of_one_label_is_measured_by_it_alone() -> None:
    assert evaluate_labels(["neutral"] * 4, ["neutral"] * 4).macro_f1.value == 1


def test_no_text_is_an_error() -> None:
    with pytest.raises(ValueError, match="no text"):
        evaluate_labels([], [])


def test_a_text_is_held_out_by_its_key_alone() -> None:
    held = [key for key in map(str, range(10_000)) if is_held_out(key)]
    assert 1_850 < len(held) < 2_150
    assert all(is_held_out(key) for key in held)


def test_the_confusion_has_a_row_for_each_true_label() -> None:
    found = evaluate_labels(["negative", "positive"], ["neutral", None])
    assert found.confusion == ((0, 1, 0, 0), (0, 0, 0, 0), (0, 0, 0, 1))


def test_the_gain_of_a_model_over_itself_is_zero_and_of_the_better_one_above() -> None:
    same = gain_in_macro_f1(TRUTH, GIVEN, GIVEN)
    assert (same.value, same.low, same.high) == (0, 0, 0)
    better = gain_in_macro_f1(TRUTH, TRUTH, GIVEN)
    assert better.value == pytest.approx(1 - f1_score(TRUTH, GIVEN, average="macro"))
    assert 0 < better.low < better.value < better.high


def test_a_paired_interval_is_narrower_than_that_of_each_model() -> None:
    other = [*GIVEN[:-1], "neutral"]
    gain = gain_in_macro_f1(TRUTH, GIVEN, other)
    alone = evaluate_labels(TRUTH, GIVEN).macro_f1
    assert gain.high - gain.low < 0.5 * (alone.high - alone.low)


def test_a_gain_on_no_text_is_an_error() -> None:
    with pytest.raises(ValueError, match="no text"):
        gain_in_macro_f1([], [], [])
