"""The search for parameters on a slice of the training data."""

import numpy as np
import pytest

from recsys.evaluation.tuning import tune
from recsys.interaction_file import hold_out
from recsys.models.catalog import new_model


def test_one_seed_gives_one_study_and_the_defaults_are_its_first_trial(tasteful):
    one, other = (tune("item_bm25", tasteful, trials=4, seed=3) for _ in range(2))
    assert one == other
    assert one.trials[0].parameters == new_model("item_bm25").parameters
    assert len(one.trials) == 4
    assert one.best.ndcg == max(trial.ndcg for trial in one.trials)


def test_a_trial_that_cannot_be_fitted_is_recorded_with_the_reason(rows):
    from recsys import InteractionMatrix

    table = rows(*[(user, item) for user in "abc" for item in "xyz"])
    study = tune("als", InteractionMatrix.from_table(table), trials=8)
    failed = [trial for trial in study.trials if trial.ndcg is None]
    assert failed
    assert all("outweighs" in trial.reason for trial in failed)


def test_a_model_without_parameters_has_nothing_to_tune(tasteful):
    with pytest.raises(ValueError, match="popularity has nothing to tune; these have: als"):
        tune("popularity", tasteful)


def test_a_slice_is_a_share_of_each_users_items_and_never_seen_in_train(tasteful):
    pairs = hold_out(tasteful, 0.2, seed=1)
    assert pairs.train.csr.multiply(pairs.test.csr).nnz == 0
    assert pairs.train.csr.nnz + pairs.test.csr.nnz == tasteful.csr.nnz
    share = np.diff(pairs.test.csr.indptr) / np.diff(tasteful.csr.indptr)
    assert np.allclose(share, 0.2, atol=0.03)
