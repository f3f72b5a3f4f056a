"""How varied, how popular and how evenly spread the recommended items are."""

import math

import numpy as np
import pytest
import scipy.sparse

from recsys import Popularity, evaluate
from recsys.evaluation import beyond_accuracy as beyond
from recsys.interaction_file import hold_out
from recsys.models.catalog import new_model
from recsys.scoring.ranking import ItemLists

USERS = scipy.sparse.csr_matrix(
    # Items: 0 and 1 have the same users, 2 shares one of two with them, 3 none, 4 has no users.
    np.array([[1, 1, 1, 0, 0], [1, 1, 0, 0, 0], [0, 0, 1, 1, 0]], dtype=np.float32)
)


def lists(*rows):
    return np.array(rows, dtype=np.int32)


def test_items_of_the_same_users_are_no_variety_and_those_of_others_are():
    ids = lists([0, 1], [0, 3], [0, 2], [0, -1], [-1, -1], [3, 4])
    found = beyond.diversity(ids, USERS, 2)
    assert found == pytest.approx([0, 1, 0.5, 1, 1, 1], abs=1e-12)


def test_diversity_is_that_of_all_pairs_whatever_the_weights():
    ids = lists([0, 1, 2], [2, 3, 0])
    weighted = USERS.copy()
    weighted.data = np.arange(1, len(weighted.data) + 1, dtype=np.float32)
    cosine = {(0, 1): 1, (0, 2): 0.5, (1, 2): 0.5, (2, 3): 1 / math.sqrt(2), (0, 3): 0}
    expected = [
        1 - (cosine[0, 1] + cosine[0, 2] + cosine[1, 2]) / 3,
        1 - (cosine[2, 3] + cosine[0, 2] + cosine[0, 3]) / 3,
    ]
    assert beyond.diversity(ids, weighted, 3) == pytest.approx(expected)
    assert beyond.diversity(ids, USERS, 2) == pytest.approx([0, 1 - 1 / math.sqrt(2)], abs=1e-12)


def test_items_offered_all_equally_have_gini_zero_and_one_item_for_all_the_most():
    assert beyond.gini(np.array([3, 3, 3, 3])) == 0
    assert beyond.gini(np.array([0, 0, 0, 8])) == 0.75
    assert beyond.gini(np.array([1, 3])) == pytest.approx(0.25)
    assert math.isnan(beyond.gini(np.array([0, 0])))


def test_lists_twice_as_popular_as_the_histories_have_a_lift_of_one():
    users_of_item = np.array([8, 4, 2])
    offered = beyond.popularity_of_lists(lists([0, -1], [0, 1], [-1, -1]), users_of_item, 2)
    assert offered.tolist() == [8, 6, 0]
    histories = ItemLists(np.array([0, 1, 3, 3]), np.array([1, 1, 2], dtype=np.int32))
    had = beyond.popularity_of_histories(histories, users_of_item)
    assert had.tolist() == [4, 3, 0]
    assert beyond.popularity_lift(offered, had) == 1
    assert math.isnan(beyond.popularity_lift(np.zeros(2), np.zeros(2)))


def test_popularity_is_less_varied_and_more_biased_than_neighbours(tasteful):
    pairs = hold_out(tasteful, 0.2, seed=1)
    models = [Popularity(), new_model("item_cosine")]
    popular, neighbours = (
        evaluate(model.fit(pairs.train.csr), pairs.train, pairs.test).metrics for model in models
    )
    assert popular["gini@10"] > neighbours["gini@10"]
    assert popular["popularity_lift@10"] > neighbours["popularity_lift@10"]
    assert popular["diversity@10"] > neighbours["diversity@10"], "tastes share no users"
    assert popular["coverage@10"] < neighbours["coverage@10"]
