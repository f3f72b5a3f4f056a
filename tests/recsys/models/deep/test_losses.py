"""Losses of sampled items: what they add up to on average is what all items give."""

import numpy as np
import pytest

from recsys.models.deep.losses import LossPlan, loss_of_places

ITEMS, WIDTH = 40, 4


@pytest.fixture
def places():
    random = np.random.default_rng(1)
    states = random.normal(size=(2, 3, WIDTH)).astype(np.float32)
    items = random.normal(size=(ITEMS, WIDTH)).astype(np.float32)
    return states, items, random.integers(ITEMS, size=(2, 3))


@pytest.mark.deep
def test_cross_entropy_is_the_logarithm_of_the_share_of_the_next_item(places):
    states, items, targets = places
    scores = np.exp(states.astype(np.float64) @ items.T)
    shares = np.take_along_axis(scores, targets[..., None], 2)[..., 0] / scores.sum(axis=-1)
    found = loss_of_places(LossPlan(), np.ones(ITEMS, dtype=int))(*places, None)
    np.testing.assert_allclose(found, -np.log(shares), rtol=1e-5)


@pytest.mark.deep
@pytest.mark.parametrize("popularity", [0.0, 0.5, 1.0])
def test_sampled_items_stand_for_all_however_they_are_drawn(places, popularity):
    import jax

    counts = np.arange(1, ITEMS + 1) ** 2
    every = loss_of_places(LossPlan(), counts)(*places, None)
    plan = LossPlan(negatives=200_000, popularity=popularity)
    found = loss_of_places(plan, counts)(*places, jax.random.key(0))
    np.testing.assert_allclose(found, every, atol=0.02)


@pytest.mark.deep
def test_bpr_max_falls_when_the_next_item_wins_and_rises_with_the_penalty(places):
    import jax

    states, items, targets = places
    key, counts = jax.random.key(0), np.ones(ITEMS, dtype=int)

    def loss(penalty, own):
        plan = LossPlan("bpr_max", negatives=20, penalty=penalty)
        return np.asarray(loss_of_places(plan, counts)(own, items, targets, key))

    towards = states + items[targets]
    assert (loss(0.0, towards) < loss(0.0, states)).all()
    assert (loss(1.0, states) > loss(0.0, states)).all()
