"""The value of a policy by what another one has shown: exact where it can be, refused where not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.evaluation.off_policy import Logged, Model, estimate


def logged(reward, chance, user=None):
    user = np.arange(len(reward)) if user is None else np.asarray(user)
    return Logged(np.asarray(reward, float), np.asarray(chance, float), user)


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.floats(0.01, 1))
def test_the_logging_policy_itself_is_worth_what_it_earned(clicks, chance):
    found = estimate(
        logged(clicks, [chance] * len(clicks)), np.full(len(clicks), chance), samples=20
    )
    assert found.snips.mean == pytest.approx(np.mean(clicks))
    assert found.ips.mean == pytest.approx(np.mean(clicks))
    assert found.snips.gain == pytest.approx(0) and found.effective == pytest.approx(len(clicks))


def test_a_policy_that_shows_one_of_two_items_is_worth_its_clicks():
    # Items a, b, a, b shown with chance .5; a was clicked each time.
    found = estimate(logged([1, 0, 1, 0], [0.5] * 4), np.array([1.0, 0, 1, 0]))
    assert (found.logged, found.snips.mean, found.ips.mean) == (0.5, 1.0, 1.0)
    assert found.effective == 2


def test_a_right_model_makes_the_estimate_exact_and_a_wrong_one_is_corrected():
    reward, policy = np.array([1.0, 0, 1, 0]), np.array([1.0, 0, 1, 0])
    right = Model(reward, np.ones(4))
    found = estimate(logged(reward, [0.5] * 4), policy, right)
    assert found.doubly_robust is not None
    assert (found.doubly_robust.mean, found.doubly_robust.low, found.doubly_robust.high) == (
        1,
        1,
        1,
    )
    wrong = Model(np.full(4, 0.3), np.full(4, 0.3))
    corrected = estimate(logged(reward, [0.5] * 4), policy, wrong).doubly_robust
    assert corrected is not None and corrected.mean == pytest.approx(1.0)


def test_entries_of_one_user_count_as_one_observation():
    random = np.random.default_rng(0)
    reward = np.repeat(random.integers(2, size=50), 20)
    chance, policy = np.full(1000, 0.5), np.full(1000, 0.5)
    by_user = estimate(logged(reward, chance, np.repeat(np.arange(50), 20)), policy)
    alone = estimate(logged(reward, chance), policy)
    assert by_user.snips.high - by_user.snips.low > 3 * (alone.snips.high - alone.snips.low)
    assert (by_user.users, alone.users) == (50, 1000)


def test_a_policy_that_shows_nothing_of_what_was_shown_is_worth_nothing_known():
    found = estimate(logged([1, 1], [0.5, 0.5]), np.zeros(2))
    assert (found.snips.mean, found.effective) == (0, 0)


@pytest.mark.parametrize(
    ("reward", "chance", "said"),
    [
        ([], [], "nothing was shown"),
        ([1, 0], [0.5, 0.0], "1 of 2 entries have a chance"),
        ([1, 0], [0.5, np.nan], "1 of 2 entries have a chance"),
        ([1, 0], [0.5, 1.5], "1 of 2 entries have a chance"),
        ([1, 0], [0.5], "different lengths"),
        ([1, np.nan], [0.5, 0.5], "a reward is no number"),
    ],
)
def test_what_says_nothing_is_refused(reward, chance, said):
    with pytest.raises(ValueError, match=said):
        logged(reward, chance)


def test_a_chance_that_is_none_is_refused():
    with pytest.raises(ValueError, match="policy must have"):
        estimate(logged([1], [0.5]), np.array([1.1]))
