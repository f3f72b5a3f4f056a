"""Metrics compared with manual results, a simple reference, and scikit-learn."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    average_precision_score,
    f1_score,
    label_ranking_average_precision_score,
    ndcg_score,
    precision_score,
    recall_score,
    roc_auc_score,
    top_k_accuracy_score,
)

from recsys.evaluation.evaluate import metrics
from recsys.evaluation.metrics import Hits
from recsys.scoring.ranking import ItemLists, rank


def lists(*rows):
    flat = np.array([item for row in rows for item in row], dtype=np.int32)
    return ItemLists(np.cumsum([0, *map(len, rows)]), flat)


def hits_of(ranked, *wanted, items=100):
    return Hits.of(np.array(ranked, dtype=np.int32), lists(*wanted), items)


# One user ranked items 7 3 9 1 5 and wants 3, 5 and 8: hits at places 2 and 5.
WORKED = {
    ("precision", 5): 2 / 5,
    ("precision", 2): 1 / 2,
    ("recall", 5): 2 / 3,
    ("recall", 1): 0,
    ("f1", 5): 2 * (2 / 5) * (2 / 3) / (2 / 5 + 2 / 3),
    ("f1", 1): 0,
    ("hit_rate", 1): 0,
    ("hit_rate", 2): 1,
    ("ndcg", 5): (1 / math.log2(3) + 1 / math.log2(6)) / (1 + 1 / math.log2(3) + 1 / 2),
    ("ndcg", 2): (1 / math.log2(3)) / (1 + 1 / math.log2(3)),
    ("map", 5): (1 / 2 + 2 / 5) / 3,
    ("map", 2): (1 / 2) / 2,
    ("mrr", 5): 1 / 2,
    ("mrr", 1): 0,
}


@pytest.mark.parametrize(("name", "k"), WORKED)
def test_a_metric_gives_what_was_worked_out_by_hand(name, k):
    hits = hits_of([[7, 3, 9, 1, 5]], [3, 5, 8])
    assert metrics.AT_K[name](hits, k) == pytest.approx([WORKED[name, k]])


@pytest.mark.parametrize("name", sorted(metrics.AT_K))
def test_a_perfect_list_scores_one_and_a_useless_one_zero(name):
    hits = hits_of([[1, 2], [3, 4]], [1, 2], [1, 2])
    assert metrics.AT_K[name](hits, 2).tolist() == [1, 0]


def test_places_beyond_the_end_of_a_list_are_no_hits():
    hits = hits_of([[4, -1, -1], [-1, -1, -1]], [4, 99], [0])
    assert hits.found.tolist() == [[True, False, False], [False, False, False]]
    assert metrics.precision(hits, 3) == pytest.approx([1 / 3, 0])


def plain_metrics(ranked, wanted, k):
    found = [item in wanted for item in ranked[:k]]
    ideal = sum(1 / math.log2(place + 2) for place in range(min(k, len(wanted))))
    precisions = [sum(found[: place + 1]) / (place + 1) for place in range(len(found))]
    places = [place + 1 for place, hit in enumerate(found) if hit]
    precision, recall = sum(found) / k, sum(found) / len(wanted)
    return {
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / (precision + recall) if places else 0,
        "hit_rate": float(any(found)),
        "ndcg": sum(1 / math.log2(place + 1) for place in places) / ideal,
        "map": sum(precisions[place - 1] for place in places) / min(k, len(wanted)),
        "mrr": 1 / places[0] if places else 0,
    }


USER = st.tuples(
    st.lists(st.integers(0, 14), min_size=6, max_size=6, unique=True),
    st.sets(st.integers(0, 14), min_size=1),
)


@given(users=st.lists(USER, min_size=1, max_size=5), k=st.integers(1, 6))
def test_metrics_are_those_of_a_plain_reference(users, k):
    hits = hits_of(
        [ranked for ranked, _ in users], *[sorted(wanted) for _, wanted in users], items=15
    )
    expected = [plain_metrics(ranked, wanted, k) for ranked, wanted in users]
    for name, metric in metrics.AT_K.items():
        assert metric(hits, k) == pytest.approx([values[name] for values in expected]), name


@pytest.fixture(scope="module")
def world():
    """Scores without ties of 30 users for 40 items, and at least one test item for each user."""
    random = np.random.default_rng(3)
    scores = random.permuted(np.tile(np.arange(40, dtype=np.float32), (30, 1)), axis=1)
    relevance = random.random((30, 40)) < 0.2
    relevance[:, 0] = True
    return scores, relevance


def hits_in(world, k):
    scores, relevance = world
    wanted = lists(*[np.flatnonzero(row) for row in relevance])
    return Hits.of(rank(scores, k)[0], wanted, 40)


def of_each_user(metric, world):
    return [metric(truth, score) for score, truth in zip(*world, strict=True)]


@pytest.mark.parametrize("k", [1, 10, 40])
def test_ndcg_agrees_with_scikit_learn(world, k):
    def theirs(truth, score):
        return ndcg_score([truth], [score], k=k)

    assert metrics.ndcg(hits_in(world, k), k) == pytest.approx(of_each_user(theirs, world))


@pytest.mark.parametrize("k", [1, 10, 40])
@pytest.mark.parametrize(
    ("name", "theirs"),
    [("precision", precision_score), ("recall", recall_score), ("f1", f1_score)],
)
def test_precision_recall_and_f1_agree_with_scikit_learn(world, name, theirs, k):
    # Scores are 0 to 39, and the k best are test items.
    found = of_each_user(lambda truth, score: theirs(truth, score >= 40 - k), world)
    assert metrics.AT_K[name](hits_in(world, k), k) == pytest.approx(found)


def test_average_precision_of_a_full_ranking_agrees_with_scikit_learn(world):
    theirs = of_each_user(average_precision_score, world)
    assert metrics.average_precision(hits_in(world, 40), 40) == pytest.approx(theirs)


def test_for_one_wanted_item_hit_rate_and_reciprocal_rank_agree_with_scikit_learn(world):
    scores, _ = world
    wanted = np.arange(30)
    hits = Hits.of(rank(scores, 40)[0], lists(*wanted[:, None]), 40)
    top_10 = top_k_accuracy_score(wanted, scores, k=10, labels=np.arange(40))
    assert metrics.hit_rate(hits, 10).mean() == pytest.approx(top_10)
    theirs = label_ranking_average_precision_score(np.eye(30, 40), scores)
    assert metrics.reciprocal_rank(hits, 40).mean() == pytest.approx(theirs)


def test_auc_agrees_with_scikit_learn_also_where_scores_tie(world):
    scores, relevance = world
    tied = np.floor(scores / 4).astype(np.float32)
    wanted = lists(*[np.flatnonzero(row) for row in relevance])
    theirs = of_each_user(roc_auc_score, (tied, relevance))
    assert metrics.auc(tied, wanted) == pytest.approx(theirs)


def test_auc_leaves_seen_items_out_and_knows_nothing_without_others():
    seen = -np.inf
    scores = np.array([[seen, 3, 2, 1], [seen, seen, 5, 5]], dtype=np.float32)
    assert metrics.auc(scores, lists([2], [2, 3])).tolist() == [0.5, 0.5]
    assert metrics.auc(scores, lists([1], [3])).tolist() == [1, 0.5]


def test_novelty_is_the_mean_information_of_the_items_offered():
    # Of 8 users, 8, 4 and 0 have the items: 0, 1 and (as if one had it) 3 bits.
    information = metrics.self_information(np.array([8, 4, 0]), 8)
    ids = np.array([[2, 1], [0, -1], [-1, -1]], dtype=np.int32)
    assert metrics.novelty(ids, information, 2).tolist() == [2, 0, 0]
