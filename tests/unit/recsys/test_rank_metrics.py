"""Metrics against cases worked by hand, a plain reference, and scikit-learn."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score, roc_auc_score

from recsys import metrics
from recsys.metrics import Hits
from recsys.ranking import ItemLists, rank


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


def test_ndcg_and_auc_agree_with_scikit_learn():
    random = np.random.default_rng(3)
    scores = random.permuted(np.tile(np.arange(40, dtype=np.float32), (30, 1)), axis=1)
    relevance = random.random((30, 40)) < 0.2
    relevance[:, 0] = True
    wanted = lists(*[np.flatnonzero(row) for row in relevance])
    ids, _ = rank(scores, 10)
    ours = metrics.ndcg(Hits.of(ids, wanted, 40), 10)
    theirs = [
        ndcg_score([truth], [score], k=10) for truth, score in zip(relevance, scores, strict=True)
    ]
    assert ours == pytest.approx(theirs)

    tied = np.floor(scores / 4).astype(np.float32)
    theirs = [roc_auc_score(truth, score) for truth, score in zip(relevance, tied, strict=True)]
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
