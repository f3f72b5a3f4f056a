"""The scorer of two towers in NumPy: what the towers compute, and who is scored how."""

import numpy as np
import pytest

from recsys.scoring.networks.two_tower import TwoTower
from tests.recsys.scoring.networks.written_histories import histories

ITEMS, WIDTH, HIDDEN = 5, 3, 4


def network():
    random = np.random.default_rng(0)
    shapes = {
        **{"items": (ITEMS, WIDTH), "read": (ITEMS, WIDTH), "wide": (WIDTH, HIDDEN)},
        **{"wide_bias": (HIDDEN,), "narrow": (HIDDEN, WIDTH), "narrow_bias": (WIDTH,)},
    }
    return {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def test_a_user_is_the_mean_of_what_is_read_of_the_items_through_the_tower():
    own = network()
    found = TwoTower(own, np.ones(ITEMS, dtype=bool)).fold_in(histories([0, 2], [4]))
    for row, items in enumerate(([0, 2], [4])):
        mean = own["read"][items].mean(axis=0)
        hidden = np.maximum(mean @ own["wide"] + own["wide_bias"], 0)
        scores = own["items"] @ (mean + hidden @ own["narrow"] + own["narrow_bias"])
        np.testing.assert_allclose(found[row], scores - scores.min() + 1, rtol=1e-5, atol=1e-5)


def test_who_has_nothing_known_and_what_is_unknown_score_zero_and_all_else_more():
    known = np.array([True, True, False, True, True])
    scorer = TwoTower(network(), known)
    scores = scorer.fold_in(histories([], [2], [0, 2, 3]))
    assert not scores[:2].any()
    assert scores[2, 2] == 0 and (scores[2, known] >= 1).all()
    np.testing.assert_allclose(scores[2], scorer.fold_in(histories([0, 3]))[0], rtol=1e-6)
    ids, likeness = scorer.similar_items(np.arange(ITEMS), 4)
    assert (ids[2] == -1).all() and not (ids == 2).any() and (likeness[ids >= 0] > 0).all()


def test_nobody_at_all_gives_no_rows():
    assert TwoTower(network(), np.ones(ITEMS, dtype=bool)).fold_in(histories()).shape == (0, ITEMS)


def test_arrays_of_another_training_or_not_finite_are_refused():
    known = np.ones(ITEMS, dtype=bool)
    with pytest.raises(ValueError, match=r"items is \[4, 3\], and not \[5, 3\]"):
        TwoTower({**network(), "items": network()["items"][:4]}, known)
    broken = network()
    broken["wide"][0, 0] = np.inf
    with pytest.raises(ValueError, match=r"wide .* holds NaN or inf: training diverged"):
        TwoTower(broken, known)
    whole = TwoTower(network(), known)
    assert whole.fits(3, ITEMS) and not whole.fits(3, 4)
    again = TwoTower.of_arrays(whole.arrays(), whole.settings())
    np.testing.assert_array_equal(again.fold_in(histories([1])), whole.fold_in(histories([1])))
