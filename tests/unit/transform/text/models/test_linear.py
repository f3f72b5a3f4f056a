"""The model of words and characters: what it learns, refuses, and gives twice."""

from __future__ import annotations

import random

import numpy as np
import pytest

from social_assets.transform.text.models.linear import (
    ARRAYS,
    LinearTextModel,
    TrainingError,
    train,
)

PLANTED = {
    "negative": ["schrecklich", "traurig", "kaputt"],
    "neutral": ["tisch", "stuhl", "lampe"],
    "positive": ["wunderbar", "herrlich", "klasse"],
}
PLAIN = ["der", "die", "das", "flug", "heute", "und", "ist", "am", "morgen"]


def labelled(size: int, labels: tuple[str, ...] = tuple(PLANTED)) -> tuple[list[str], list[str]]:
    drawn = random.Random(3)  # noqa: S311
    texts, truth = [], []
    for _ in range(size):
        label = drawn.choice(labels)
        words = [*drawn.choices(PLAIN, k=8), drawn.choice(PLANTED[label])]
        drawn.shuffle(words)
        texts.append(" ".join(words))
        truth.append(label)
    return texts, truth


@pytest.fixture(scope="module")
def model() -> LinearTextModel:
    return train(*labelled(400), "1")


def test_it_finds_the_words_that_were_planted(model: LinearTextModel) -> None:
    texts, truth = labelled(900)
    found = model.score(texts).label_names()
    assert sum(a == b for a, b in zip(found, truth, strict=True)) > 0.97 * len(texts)


def test_it_knows_other_forms_of_a_word_by_their_characters(model: LinearTextModel) -> None:
    assert model.score(["heute ist das wunderbarste"]).label_names() == ["positive"]
    assert model.score(["SCHRECKLICHES!"]).label_names() == ["negative"]


def test_a_score_is_positive_less_negative_probability(model: LinearTextModel) -> None:
    scores = model.score(labelled(500)[0]).score
    assert scores.min() < -0.3
    assert scores.max() > 0.3
    assert np.abs(scores).max() <= 1


def test_a_batch_gives_what_its_texts_give_alone(model: LinearTextModel) -> None:
    texts: list[str | None] = [*labelled(5000)[0], None, "", "\ud800", "x" * 70_000, "klasse"]
    whole = model.score(texts)
    for place in (0, 1999, 2000, 4999, 5000, 5001, 5002, 5003, 5004):
        alone = model.score([texts[place]])
        np.testing.assert_allclose(whole.score[place], alone.score[0], rtol=1e-6)
        assert whole.label[place] == alone.label[0]


def test_two_trainings_give_the_same_bytes(model: LinearTextModel) -> None:
    again = train(*labelled(400), "2")
    for name in ARRAYS:
        assert again.arrays()[name].tobytes() == model.arrays()[name].tobytes(), name


def test_a_model_of_its_arrays_scores_the_same(model: LinearTextModel) -> None:
    texts = labelled(50)[0]
    again = LinearTextModel.of_arrays("1", model.arrays())
    assert again.score(texts).score.tobytes() == model.score(texts).score.tobytes()


def test_arrays_that_do_not_fit_are_refused(model: LinearTextModel) -> None:
    for name, wrong in (
        ("idf", model.idf[:-1]),
        ("classes", np.array([0, 1, 7], np.int8)),
        ("buckets", model.buckets[::-1]),
    ):
        with pytest.raises(ValueError, match="train it again"):
            LinearTextModel.of_arrays("1", {**model.arrays(), name: wrong})


def test_two_labels_are_enough() -> None:
    model = train(*labelled(200, ("negative", "positive")), "1")
    assert model.score(["klasse", "kaputt"]).label_names() == ["positive", "negative"]


@pytest.mark.parametrize("labels", [("negative",), ()])
def test_texts_of_one_label_are_refused(labels: tuple[str, ...]) -> None:
    texts, truth = labelled(100, labels) if labels else ([], [])
    with pytest.raises(TrainingError, match="at least 20 texts of each"):
        train(texts, truth, "1")


def test_too_few_texts_of_a_label_are_refused() -> None:
    texts, truth = labelled(100, ("negative", "positive"))
    with pytest.raises(TrainingError, match="1 neutral"):
        train([*texts, "tisch"], [*truth, "neutral"], "1")


def test_an_unknown_label_is_refused() -> None:
    texts, truth = labelled(100)
    with pytest.raises(TrainingError, match="unknown labels angry"):
        train([*texts, "grr"], [*truth, "angry"], "1")


def test_blank_texts_teach_nothing() -> None:
    texts, truth = labelled(100)
    again = train([*texts, "", " "], [*truth, "positive", "positive"], "1")
    assert again.arrays()["weights"].tobytes() == train(texts, truth, "1").weights.tobytes()


def test_a_text_without_any_known_word_has_what_the_labels_have(model: LinearTextModel) -> None:
    first, second = model.score(["~~~~~~~", "^^^^^^^"]).score
    assert first == second


def test_it_learns_from_tone_and_marks_where_words_tell_nothing() -> None:
    drawn = random.Random(4)  # noqa: S311
    ends = {"negative": "", "neutral": "??", "positive": "!!"}
    truth = [drawn.choice(list(ends)) for _ in range(300)]
    own_words = [f"{drawn.randrange(1 << 60):x}" for _ in truth]
    texts = [f"{word}{ends[label]}" for word, label in zip(own_words, truth, strict=True)]
    model = train(texts, truth, "1")
    assert model.score(["qxv??", "qxv!!"]).label_names() == ["neutral", "positive"]


@pytest.mark.timeout(20)
def test_a_text_of_ten_megabytes_is_scored_by_its_begin(model: LinearTextModel) -> None:
    assert model.score(["klasse " * 1_500_000]).label_names() == ["positive"]
