"""Models of a rating are evaluated by people whom they have not seen, and may lose to the mean."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from social_assets.predictions.evaluation import (
    BOOSTED,
    FEWEST_OF_GROUP,
    LINEAR,
    MEAN,
    evaluate,
    gain_by_person,
)
from social_assets.predictions.watching import CATEGORIES, NUMBERS, WatchingRows


def people(count: int = 120, each: int = 6, seed: int = 0) -> WatchingRows:
    """Rows without any relation between what people do and what they say. The first number is one
    of the person, by which a model would know the person again.
    """
    random = np.random.default_rng(seed)
    users = np.repeat(np.arange(count), each)
    numbers = random.normal(size=(len(users), len(NUMBERS)))
    numbers[:, 0] = random.normal(size=count)[users]
    codes = random.integers(4, size=(len(users), len(CATEGORIES)))
    own = random.integers(0, 11, count)
    genders = np.array(["Female", "Male"], dtype=object)[users % 2]
    return WatchingRows(
        np.column_stack([numbers, codes]).astype(float),
        own[users].astype(float),
        users,
        {"gender": genders, "age_group": np.full(len(users), "25-34", dtype=object)},
    )


def test_behaviour_that_tells_nothing_gives_no_champion_though_each_person_has_one_rating() -> None:
    """A model that saw other rows of the same people would know them, and look good."""
    found = evaluate(people())
    assert found.champion is None
    assert found.reason.startswith("no model is surely better than the mean")
    assert found.leader == BOOSTED and len(found.calibration) == 10


def test_a_planted_relation_is_found_with_the_column_that_tells_it() -> None:
    rows = people(count=200)
    rated = 5 + 2 * rows.inputs[:, NUMBERS.index("scroll_rate")]
    found = evaluate(replace(rows, rated=np.clip(rated, 0, 10)))
    errors = {each.model: each for each in found.models}
    assert found.champion in {LINEAR, BOOSTED}
    assert next(iter(found.importance)) == "scroll_rate"
    assert errors[LINEAR].rmse < errors[MEAN].rmse / 2
    first, last = found.calibration[0], found.calibration[-1]
    assert last.rated - first.rated > 4
    assert abs(last.predicted - last.rated) < 1


def test_what_no_line_tells_is_found_by_boosting() -> None:
    rows = people(count=300)
    rated = 5 + 4 * np.sign(rows.inputs[:, 0] * rows.inputs[:, 1])
    found = evaluate(replace(rows, rated=rated))
    assert found.champion == BOOSTED
    assert set(list(found.importance)[:2]) == set(NUMBERS[:2])


def test_groups_are_compared_and_those_of_few_people_are_left_out() -> None:
    rows = people()
    ages = np.where(rows.users < FEWEST_OF_GROUP - 1, "13-17", "25-34").astype(object)
    ages[rows.users == 50] = None
    high = rows.rated + 2 * (rows.groups["gender"] == "Female")
    found = evaluate(replace(rows, rated=high, groups={**rows.groups, "age_group": ages}))
    by = {(each.by, each.group): each for each in found.groups}
    assert set(by) == {("gender", "Female"), ("gender", "Male"), ("age_group", "25-34")}
    assert by["gender", "Female"].bias < by["gender", "Male"].bias - 1
    assert by["age_group", "25-34"].users == 120 - (FEWEST_OF_GROUP - 1) - 1


@pytest.mark.parametrize(
    ("count", "each", "told"),
    [(0, 6, "0 people with 0 rows"), (1, 500, "1 people with 500 rows"), (49, 9, "49 people")],
)
def test_too_few_people_are_said_and_give_no_champion(count: int, each: int, told: str) -> None:
    found = evaluate(people(count, each))
    assert found.champion is None and not found.models
    assert found.reason.startswith(told) and "are needed to evaluate a model" in found.reason


def test_ratings_that_are_all_one_give_no_champion() -> None:
    rows = people()
    found = evaluate(replace(rows, rated=np.full(len(rows), 7.0)))
    assert (found.champion, found.reason) == (None, "all ratings are 7: nothing to predict")


def test_missing_numbers_and_a_column_that_is_always_one_are_no_error() -> None:
    rows = people()
    inputs = rows.inputs.copy()
    inputs[::3, 0] = np.nan
    inputs[:, 1] = np.nan
    inputs[:, -1] = 0
    assert evaluate(replace(rows, inputs=inputs)).models


def test_the_interval_counts_people_and_not_rows() -> None:
    random = np.random.default_rng(0)
    users = np.repeat(np.arange(40), 100)
    gains = random.normal(0.1, 1, 40)[users]
    own = gain_by_person(np.zeros(len(users)), gains, users)
    as_if_rows_were_people = gain_by_person(np.zeros(len(users)), gains, np.arange(len(users)))
    assert own.mean == pytest.approx(as_if_rows_were_people.mean)
    ratio = (own.high - own.low) / (as_if_rows_were_people.high - as_if_rows_were_people.low)
    assert ratio == pytest.approx(10, rel=0.05)


def test_the_same_rows_give_the_same_result() -> None:
    assert evaluate(people()) == evaluate(people())
