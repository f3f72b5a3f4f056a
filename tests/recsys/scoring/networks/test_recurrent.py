"""GRU4Rec's scorer in NumPy: what a loop by the paper computes, and who is scored how."""

import numpy as np
import pytest

from recsys.models.deep.gru4rec import RecurrentNetwork
from recsys.scoring.networks.recurrent import Recurrent
from tests.recsys.scoring.networks.written_histories import histories

SIZE = RecurrentNetwork(items=6, width=4, layers=2, length=3)


def arrays(seed=0):
    # Larger than at the beginning of a training, so that no gate is half open.
    random = np.random.default_rng(seed)
    return {
        name: (value + random.normal(size=value.shape) * 0.5).astype(np.float32)
        for name, value in SIZE.initial(seed).items()
    }


def scorer(known=(True,) * 6, rows=()):
    return Recurrent.of_learned(arrays(), np.array(known), SIZE.length, histories(*rows))


def read_by_a_loop(own, items):
    """The last state of one sequence, unit by unit, in float64."""
    own = {name: value.astype(np.float64) for name, value in own.items()}
    states = [own["tokens"][t] for t in (len(own["tokens"]) - 1, *items[-SIZE.length :])]
    for layer in range(SIZE.layers):
        update_in, reset_in, candidate_in = np.split(own["inputs"][layer], 3, axis=1)
        update_bias, reset_bias, candidate_bias = np.split(own["biases"][layer], 3)
        update_own, reset_own = np.split(own["gates"][layer], 2, axis=1)
        state, read = np.zeros(SIZE.width), []
        for x in states:
            update = 1 / (1 + np.exp(-(x @ update_in + state @ update_own + update_bias)))
            reset = 1 / (1 + np.exp(-(x @ reset_in + state @ reset_own + reset_bias)))
            of_state = (reset * state) @ own["candidates"][layer]
            candidate = np.tanh(x @ candidate_in + of_state + candidate_bias)
            state = (1 - update) * state + update * candidate
            read.append(state)
        states = read
    return states[-1]


def test_the_network_reads_what_a_loop_by_the_paper_reads():
    rows = ([5], [0, 3], [4, 1, 2], [2, 0, 5, 1, 3])
    found = scorer().read(histories(*rows))
    expected = [read_by_a_loop(arrays(), row) for row in rows]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_the_order_of_items_matters_and_what_is_older_than_the_length_does_not():
    found = scorer().read(histories([0, 1], [1, 0], [5, 2, 3, 4], [0, 2, 3, 4]))
    assert np.abs(found[0] - found[1]).max() > 1e-3
    np.testing.assert_allclose(found[2], found[3], rtol=1e-5)


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


def test_gates_that_are_wide_open_or_shut_give_numbers():
    own = {**arrays(), "biases": np.full((2, 12), -1e4, dtype=np.float32)}
    shut = Recurrent.of_learned(own, np.ones(6, dtype=bool), 3, histories([1, 2]))
    assert np.isfinite(shut.users).all() and not shut.users.any()


def test_arrays_of_another_training_are_refused_and_an_artifact_gives_the_same_scorer():
    short = {**arrays(), "gates": arrays()["gates"][:1]}
    with pytest.raises(ValueError, match="gates do not fit 6 items, a width of 4"):
        Recurrent.of_learned(short, np.ones(6, dtype=bool), 3, histories())
    with pytest.raises(ValueError, match="sequences do not fit"):
        Recurrent.of_learned(arrays(), np.ones(6, dtype=bool), 0, histories())
    broken = arrays()
    broken["candidates"][0, 0, 0] = np.nan
    with pytest.raises(ValueError, match=r"candidates .* holds NaN or inf: training diverged"):
        Recurrent.of_learned(broken, np.ones(6, dtype=bool), 3, histories())
    whole = scorer(rows=([0],))
    assert whole.fits(1, 6) and not whole.fits(1, 7) and not whole.fits(2, 6)
    again = Recurrent.of_arrays(whole.arrays(), whole.settings())
    np.testing.assert_array_equal(again.fold_in(histories([1])), whole.fold_in(histories([1])))
