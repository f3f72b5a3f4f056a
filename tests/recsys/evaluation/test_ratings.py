"""Predictions of ratings, and their errors."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from recsys.evaluation.ratings import Ratings, gain_in_mse, mae, rmse, split_ratings
from recsys.models.rating_predictors import BiasedFactors, Biases


def table(*rows, day=0):
    full = [(*row, day)[:4] for row in rows]
    return pa.table(
        {
            "user_id": [row[0] for row in full],
            "item_id": [row[1] for row in full],
            "value": [float(row[2]) for row in full],
            "event_time": [datetime(2026, 1, 1 + row[3], tzinfo=UTC) for row in full],
        }
    )


def test_errors_are_what_was_worked_out_by_hand():
    # Off by 1, 0 and 3 points.
    truth, predicted = np.array([8.0, 5.0, 2.0]), np.array([7.0, 5.0, 5.0])
    assert mae(truth, predicted) == pytest.approx(4 / 3)
    assert rmse(truth, predicted) == pytest.approx((10 / 3) ** 0.5)


POINTS = st.floats(0, 10)


@given(pairs=st.lists(st.tuples(POINTS, POINTS), min_size=1))
def test_errors_agree_with_scikit_learn(pairs):
    truth, predicted = np.array(pairs).T
    assert mae(truth, predicted) == pytest.approx(mean_absolute_error(truth, predicted))
    assert rmse(truth, predicted) == pytest.approx(root_mean_squared_error(truth, predicted))


def test_biases_are_what_was_worked_out_by_hand():
    # Mean 6. Without users' biases, items are off by +2 and -2, and shrunk by 2 / (2 + 2).
    rated = table(("a", "x", 8), ("b", "x", 8), ("a", "y", 4), ("b", "y", 4))
    ratings = Ratings.from_table(rated)
    found = Biases(user_pull=0, item_pull=2).fit(ratings).predict(ratings)
    assert found.tolist() == [7, 7, 5, 5]


@pytest.fixture(scope="module")
def generous_and_good():
    """30 users, some generous, give 300 ratings to 20 items, some of them good."""
    random = np.random.default_rng(0)
    user, item = random.integers(30, size=300), random.integers(20, size=300)
    value = 5 + random.normal(0, 1, 30)[user] + random.normal(0, 1, 20)[item]
    value += random.normal(0, 0.3, 300)
    rows = [(f"{u:02}", f"{i:02}", v) for u, i, v in zip(user, item, value, strict=True)]
    return Ratings.from_table(table(*rows))


def test_biases_are_those_of_ridge_regression(generous_and_good):
    own = generous_and_good
    found = Biases(user_pull=4, item_pull=4, sweeps=200).fit(own).predict(own)
    dummies = np.hstack([np.eye(30)[own.user], np.eye(20)[own.item]])
    centred = own.value - own.value.mean()
    ridge = Ridge(alpha=4, fit_intercept=False).fit(dummies, centred)
    expected = np.clip(own.value.mean() + ridge.predict(dummies), own.value.min(), own.value.max())
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_users_and_items_that_are_unknown_count_as_average(generous_and_good):
    model = Biases().fit(generous_and_good)
    maps = {"users": generous_and_good.users, "items": generous_and_good.items}
    strangers = Ratings.from_table(table(("?", "00", 0), ("00", "?", 0), ("?", "?", 0)), **maps)
    of_item, of_user, of_none = model.predict(strangers)
    assert of_none == pytest.approx(generous_and_good.value.mean())
    known = model.predict(Ratings.from_table(table(("00", "00", 0)), **maps))
    assert known[0] == pytest.approx(of_item + of_user - of_none)


@pytest.mark.parametrize("predictor", [Biases, BiasedFactors])
def test_no_rating_is_predicted_beyond_those_that_were_given(predictor):
    ratings = Ratings.from_table(
        table(("a", "x", 9), ("a", "y", 10), ("b", "x", 1), ("c", "y", 10))
    )
    found = predictor(user_pull=0, item_pull=0).fit(ratings).predict(ratings)
    assert found.min() >= 1
    assert found.max() <= 10


def test_factors_predict_taste_that_biases_cannot_and_one_seed_gives_the_same():
    # Two kinds of users like different items, so that every mean is 5.
    random = np.random.default_rng(1)
    pairs = [(u, i) for u in range(40) for i in range(40) if random.random() < 0.5]
    rows = [(f"{u:02}", f"{i:02}", 8 if u % 2 == i % 2 else 2) for u, i in pairs]
    learned = Ratings.from_table(table(*rows[::2]))
    maps = {"users": learned.users, "items": learned.items}
    asked = Ratings.from_table(table(*rows[1::2]), **maps)
    biases = Biases().fit(learned).predict(asked)
    one, other = (BiasedFactors(regularization=0.1).fit(learned).predict(asked) for _ in range(2))
    assert rmse(asked.value, one) < 0.5 * rmse(asked.value, biases)
    assert one.tobytes() == other.tobytes()
    mean, low, high = gain_in_mse(asked, one, biases)
    assert 0 < low < mean < high
    assert gain_in_mse(asked, biases, biases) == (0, 0, 0)


def test_ratings_are_cut_in_time_with_the_ids_that_were_known_before():
    rated = table(("a", "x", 5, 0), ("b", "x", 6, 4), ("a", "new", 7, 5), ("a", "x", 8, 9))
    train, test = split_ratings(rated, datetime(2026, 1, 6, tzinfo=UTC))
    assert train.users.to_pylist() == ["a", "b"]
    assert (test.user.tolist(), test.item.tolist()) == ([0, 0], [-1, 0])
    assert test.value.tolist() == [7, 8]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_rating_that_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match="NaN, infinite or null"):
        Ratings.from_table(table(("a", "x", value)))


@pytest.mark.parametrize("predictor", [Biases, BiasedFactors])
def test_no_rating_teaches_nothing(predictor):
    with pytest.raises(ValueError, match="cannot learn from no rating"):
        predictor().fit(Ratings.from_table(table().cast(table(("a", "x", 1)).schema)))
