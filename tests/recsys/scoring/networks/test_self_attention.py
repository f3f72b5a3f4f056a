"""SASRec's scorer in NumPy: what a loop by the paper computes, and who is scored how."""

import numpy as np
import pytest

from recsys.models.deep.sasrec import AttentionNetwork
from recsys.scoring.histories import Histories
from recsys.scoring.networks.self_attention import SelfAttention
from recsys.scoring.ranking import ItemLists
from tests.recsys.scoring.networks.written_histories import histories

SIZE = AttentionNetwork(items=6, width=4, blocks=2, heads=2, length=3)


def arrays(seed=0):
    # Larger than at the beginning of a training, so that attention is not flat.
    random = np.random.default_rng(seed)
    return {
        name: (value + random.normal(size=value.shape) * 0.3).astype(np.float32)
        for name, value in SIZE.initial(seed).items()
    }


def scorer(known=(True,) * 6, rows=()):
    return SelfAttention.of_learned(arrays(), np.array(known), SIZE.heads, histories(*rows))


def read_by_a_loop(own, items):
    """The last state of one sequence, place by place and head by head, in float64."""
    own = {name: value.astype(np.float64) for name, value in own.items()}
    tokens = [len(own["tokens"]) - 1, *items[-SIZE.length :]]

    def normal(layer, x):
        unit = (x - x.mean()) / np.sqrt(x.var() + 1e-6)
        return unit * own["scales"][layer] + own["shifts"][layer]

    states = [own["tokens"][t] * 2 + own["places"][p] for p, t in enumerate(tokens)]
    for b in range(SIZE.blocks):
        inner = [normal(2 * b, x) for x in states]
        read = []
        for p in range(len(tokens)):
            heads = []
            for head in (slice(0, 2), slice(2, 4)):
                query = (inner[p] @ own["query"][b])[head]
                likeness = [query @ (inner[q] @ own["key"][b])[head] for q in range(p + 1)]
                weights = np.exp(np.array(likeness) / np.sqrt(2))
                weights /= weights.sum()
                values = [(inner[q] @ own["value"][b])[head] for q in range(p + 1)]
                heads.append(sum(w * v for w, v in zip(weights, values, strict=True)))
            read.append(states[p] + np.concatenate(heads) @ own["mixed"][b])
        states = [
            x
            + np.maximum(normal(2 * b + 1, x) @ own["wide"][b] + own["wide_bias"][b], 0)
            @ own["narrow"][b]
            + own["narrow_bias"][b]
            for x in read
        ]
    return normal(-1, states[-1])


def test_the_network_reads_what_a_loop_by_the_paper_reads():
    rows = ([5], [0, 3], [4, 1, 2], [2, 0, 5, 1, 3])
    found = scorer().read(histories(*rows))
    expected = [read_by_a_loop(arrays(), row) for row in rows]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_the_order_of_items_matters_and_what_is_older_than_the_length_does_not():
    found = scorer().read(histories([0, 1], [1, 0], [5, 2, 3, 4], [0, 2, 3, 4]))
    assert np.abs(found[0] - found[1]).max() > 1e-3
    np.testing.assert_allclose(found[2], found[3], rtol=1e-5)


def test_without_times_the_heavier_item_is_the_newer():
    lists = ItemLists(np.array([0, 2]), np.array([1, 4], dtype=np.int32))
    by_weight = Histories(lists, np.array([2, 1], dtype=np.float32))
    np.testing.assert_array_equal(scorer().read(by_weight), scorer().read(histories([4, 1])))


def test_known_and_new_users_of_one_sequence_have_the_same_scores():
    rows = ([0, 3], [4, 1, 2])
    both = scorer(rows=rows)
    known = both.scores(np.array([1, 0]), histories(rows[1], rows[0]))
    np.testing.assert_array_equal(known, both.fold_in(histories(rows[1], rows[0])))


def test_who_has_nothing_and_what_nobody_had_score_zero_and_all_else_more():
    known = (True, True, False, True, True, True)
    scores = scorer(known).fold_in(histories([], [0, 1]))
    assert not scores[0].any()
    assert scores[1, 2] == 0
    assert (scores[1, list(known)] >= 1).all()
    ids, likeness = scorer(known).similar_items(np.arange(6), 5)
    assert (ids[2] == -1).all() and not (ids == 2).any()
    assert (likeness[ids >= 0] > 0).all()


def test_where_nobody_had_anything_all_score_zero():
    nothing = scorer((False,) * 6).fold_in(histories([], [0]))
    assert not nothing.any()


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_arrays_that_are_not_finite_are_refused(broken):
    own = arrays()
    own["tokens"][1, 1] = broken
    with pytest.raises(ValueError, match=r"tokens .* holds NaN or inf: training diverged"):
        SelfAttention.of_learned(own, np.ones(6, dtype=bool), 2, histories())


def test_arrays_of_another_width_or_number_are_refused():
    with pytest.raises(ValueError, match="heads do not fit 6 items, a width of 4 and 3 heads"):
        SelfAttention(arrays(), np.zeros((0, 4), np.float32), np.ones(6, dtype=bool), 3)
    with pytest.raises(ValueError, match="tokens do not fit 7 items"):
        SelfAttention(arrays(), np.zeros((0, 4), np.float32), np.ones(7, dtype=bool), 2)
    short = {**arrays(), "key": arrays()["key"][:1]}
    with pytest.raises(ValueError, match="key do not fit"):
        SelfAttention(short, np.zeros((0, 4), np.float32), np.ones(6, dtype=bool), 2)
    whole = scorer(rows=([0],))
    assert whole.fits(1, 6) and not whole.fits(1, 7) and not whole.fits(2, 6)
    again = SelfAttention.of_arrays(whole.arrays(), whole.settings())
    np.testing.assert_array_equal(again.fold_in(histories([1])), whole.fold_in(histories([1])))
