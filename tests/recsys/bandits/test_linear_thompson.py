"""A bandit finds the best of new items in a world whose click rates are planted."""

import numpy as np
import pytest

from recsys.bandits.linear_thompson import LinearThompson, TriedItems
from recsys.evaluation.off_policy import Logged, Model, estimate

RATES = np.array([0.05] * 16 + [0.15, 0.15, 0.25, 0.30])
GROUPS = 2


def world(random, items, groups):
    """Clicks on items shown to users of groups; the second group likes item 0 above all."""
    rate = RATES[items].copy()
    rate[(groups == 1) & (items == 0)] = 0.6
    return (random.random(len(items)) < rate).astype(float)


def tried(items, groups, clicked):
    user = np.column_stack([np.ones(len(items)), *(groups == g for g in range(GROUPS))])
    return TriedItems(items, np.ones((len(items), 1)), user.astype(float), clicked)


CONTEXTS = np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0]])


def drawn(random, chances, groups):
    cumulated = chances.cumsum(axis=1)[groups]
    return np.minimum((random.random((len(groups), 1)) > cumulated).sum(axis=1), len(RATES) - 1)


def played(times, shown_at_a_time, seed=0):
    """Show, learn, show again: the items, groups, clicks and chances of all times."""
    random = np.random.default_rng(seed)
    every = np.arange(len(RATES))
    chances = np.full((GROUPS, len(RATES)), 1 / len(RATES))
    logs = [np.empty(0, int), np.empty(0, int), np.empty(0), np.empty(0)]
    for number in range(times):
        groups = random.integers(GROUPS, size=shown_at_a_time)
        items = drawn(random, chances, groups)
        clicked = world(random, items, groups)
        shown = (items, groups, clicked, chances[groups, items])
        logs = [np.concatenate(pair) for pair in zip(logs, shown, strict=True)]
        model = LinearThompson.fit(tried(*logs[:3]), len(RATES))
        chances = model.chances(CONTEXTS, every, seed=number)
    return logs, chances


def test_the_best_items_of_each_group_of_users_are_found():
    logs, chances = played(times=20, shown_at_a_time=300)
    assert chances[0].argmax() in {18, 19} and chances[0, [18, 19]].sum() > 0.6
    assert chances[1].argmax() == 0 and chances[1, 0] > 0.6
    assert logs[2][-1500:].mean() > 2.5 * logs[2][:300].mean()


def test_an_item_that_was_never_shown_keeps_a_chance_where_little_is_known():
    items = np.repeat(np.arange(4), 10)
    clicked = (np.arange(40) % 20 == 0).astype(float)
    model = LinearThompson.fit(tried(items, np.zeros(40, int), clicked), 5)
    chances = model.chances(CONTEXTS, np.arange(5))
    assert chances[0, 4] > 0.15


def test_the_posterior_is_that_of_one_regression_of_all_weights():
    random = np.random.default_rng(1)
    items, groups = random.integers(3, size=200), random.integers(GROUPS, size=200)
    given = tried(items, groups, world(random, items, groups))
    given = TriedItems(items, random.random((200, 2)), given.user, given.clicked)
    model = LinearThompson.fit(given, 3)
    own = np.zeros((200, 9))
    for row, item in enumerate(items):
        own[row, item * 3 : item * 3 + 3] = given.user[row]
    design = np.hstack([given.place, own])
    ridge = model.noise / ((given.clicked.sum() + 1) / 220) ** 2
    precision = design.T @ design + np.diag([1.0] * 2 + [ridge] * 9)
    weights = np.linalg.solve(precision, design.T @ given.clicked)
    assert np.allclose(model.shared, weights[:2])
    assert np.allclose(model.own.ravel(), weights[2:])
    assert np.allclose(model.shared_inverse, np.linalg.inv(precision)[:2, :2])
    assert np.allclose(model.expected(items, given.place, given.user), design @ weights)


def test_one_seed_gives_the_same_chances():
    logs, _ = played(times=1, shown_at_a_time=200)
    model = LinearThompson.fit(tried(*logs[:3]), len(RATES))
    every = np.arange(len(RATES))
    once, again, other = (model.chances(CONTEXTS, every, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(once, again) and not np.array_equal(once, other)


def test_chances_sum_to_one_and_none_is_below_the_floor():
    _logs, chances = played(times=5, shown_at_a_time=300)
    assert np.allclose(chances.sum(axis=1), 1)
    assert chances.min() >= 0.1 / len(RATES)


def test_without_exposures_all_items_have_the_same_chance():
    nothing = tried(np.empty(0, int), np.empty(0, int), np.empty(0))
    chances = LinearThompson.fit(nothing, 4).chances(CONTEXTS, np.arange(4))
    assert np.array_equal(chances, np.full((2, 4), 0.25))


def test_the_only_item_is_always_shown():
    given = tried(np.zeros(5, int), np.zeros(5, int), np.zeros(5))
    assert np.array_equal(
        LinearThompson.fit(given, 1).chances(CONTEXTS, np.array([0])), np.ones((2, 1))
    )


@pytest.mark.parametrize("clicked", [0.0, 1.0])
def test_where_all_or_nothing_is_clicked_no_item_is_preferred(clicked):
    items = np.tile(np.arange(4), 50)
    given = tried(items, np.zeros(200, int), np.full(200, clicked))
    chances = LinearThompson.fit(given, 4).chances(CONTEXTS, np.arange(4))
    assert np.isfinite(chances).all() and chances[0].max() < 0.5


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            lambda: tried(np.zeros(2, int), np.zeros(2, int), np.array([1.0, np.nan])),
            "clicked has 1",
        ),
        (lambda: tried(np.zeros(2, int), np.zeros(2, int), np.ones(3)), "2 items were shown"),
        (lambda: LinearThompson.fit(tried(*(np.zeros(2, int),) * 3), 0), "there are 0 items"),
        (lambda: LinearThompson.fit(tried(*(np.full(2, 7),) * 3), 3), "not among the 3"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        wrong()


def test_the_estimate_from_even_chances_agrees_with_what_the_bandit_earns():
    """The policy is learned from some users and estimated by others, 20 times."""
    every, covered, robust = np.arange(len(RATES)), 0, 0
    for seed in range(20):
        random = np.random.default_rng(seed)
        groups = random.integers(GROUPS, size=4000)
        items = random.integers(len(RATES), size=4000)
        clicked = world(random, items, groups)
        learned = tried(items, groups, clicked).take(np.arange(4000) < 2000)
        model = LinearThompson.fit(learned, len(RATES))
        chances = model.chances(CONTEXTS, every, draws=300)
        rates = np.tile(RATES, (GROUPS, 1))
        rates[1, 0] = 0.6
        true = float((chances * rates).sum(axis=1).mean())
        held = slice(2000, 4000)
        logged = Logged(clicked[held], np.full(2000, 1 / len(RATES)), np.arange(2000))
        expected = model.own @ CONTEXTS.T + model.shared[0]
        of_shown = expected[items[held], groups[held]]
        of_policy = (chances * expected.T).sum(axis=1)[groups[held]]
        found = estimate(
            logged, chances[groups[held], items[held]], Model(of_shown, of_policy), samples=300
        )
        covered += found.snips.low <= true <= found.snips.high
        robust += found.doubly_robust.low <= true <= found.doubly_robust.high
        assert found.snips.gain_low > 0
    assert covered >= 17 and robust >= 17
