"""The evaluation of a model, and the comparison of two models."""

import math
from datetime import UTC, datetime

import numpy as np
import pytest

from recsys import (
    ALS,
    InteractionMatrix,
    Popularity,
    bootstrap_difference,
    evaluate,
    temporal_split,
)
from recsys.scoring import ranking

CUT = datetime(2026, 1, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def split(tasteful_table):
    return temporal_split(tasteful_table, CUT)


@pytest.fixture(scope="module")
def als(split):
    return evaluate(ALS(factors=16).fit(split.train.csr), split.train, split.test)


@pytest.fixture(scope="module")
def popularity(split):
    return evaluate(Popularity().fit(split.train.csr), split.train, split.test)


def parts(train, test):
    matrix = InteractionMatrix.from_table(train)
    maps = {"users": matrix.users, "items": matrix.items}
    return matrix, InteractionMatrix.from_table(test, **maps)


def test_a_small_case_worked_by_hand(rows):
    # Popularity of w x y z is 1 2 3 4. a has z, is offered y x w, and takes x.
    # d has y and z, is offered x w, and takes w. b and c take nothing.
    train = rows(
        *[("a", "z"), ("b", "z"), ("c", "z"), ("d", "z")],
        *[("b", "y"), ("c", "y"), ("d", "y"), ("b", "x"), ("c", "x"), ("b", "w")],
    )
    train, test = parts(train, rows(("a", "x"), ("d", "w")))
    found = evaluate(Popularity().fit(train.csr), train, test, ks=(1, 2))
    assert found.user_indices.tolist() == [0, 3]
    assert found.metrics["recall@1"] == 0
    assert found.metrics["recall@2"] == 1
    assert found.metrics["ndcg@2"] == pytest.approx(1 / math.log2(3))
    assert found.metrics["mrr@2"] == 0.5
    # a: y beats the x that a takes, x beats w. d: x beats w.
    assert found.metrics["auc"] == pytest.approx((1 / 2 + 0) / 2)
    assert found.metrics["coverage@1"] == 2 / 4
    assert found.metrics["coverage@2"] == 3 / 4
    # a is offered y (3 of 4 users have it), d is offered x (2 of 4).
    assert found.metrics["novelty@1"] == pytest.approx((math.log2(4 / 3) + 1) / 2)


def test_every_metric_is_reported_at_every_cutoff(als):
    names = ["precision", "recall", "f1", "hit_rate", "ndcg", "map", "mrr", "novelty", "coverage"]
    names += ["diversity", "popularity_lift", "gini"]
    assert set(als.metrics) == {"auc"} | {f"{name}@{k}" for name in names for k in (10, 20, 50)}
    assert als.metrics["ndcg@10"] == pytest.approx(als.ndcg(10).mean())
    assert als.metrics["recall@50"] > als.metrics["recall@20"] > als.metrics["recall@10"]


def test_batches_change_nothing(split, als, monkeypatch):
    monkeypatch.setattr(ranking, "MAX_CELLS", 400 * 100)
    model = ALS(factors=16).fit(split.train.csr)
    assert evaluate(model, split.train, split.test).metrics == pytest.approx(als.metrics, abs=1e-4)


def test_als_beats_popularity_where_there_is_taste(als, popularity):
    gain = bootstrap_difference(als, popularity)
    assert gain.candidate_wins
    assert gain.low < gain.mean < gain.high
    assert not bootstrap_difference(popularity, als).candidate_wins


def test_a_model_does_not_beat_itself(als):
    gain = bootstrap_difference(als, als)
    assert (gain.mean, gain.low, gain.high, gain.candidate_wins) == (0, 0, 0, False)


def test_an_interval_is_that_of_the_normal_theory_for_many_users(als, popularity):
    gain = als.ndcg(10) - popularity.ndcg(10)
    width = 1.96 * gain.std() / math.sqrt(len(gain))
    found = bootstrap_difference(als, popularity, samples=4000)
    assert found.high - found.mean == pytest.approx(width, rel=0.1)
    assert found.mean - found.low == pytest.approx(width, rel=0.1)


def test_models_evaluated_on_different_users_are_not_compared(rows, als):
    train, test = parts(rows(("a", "x"), ("b", "y")), rows(("a", "y")))
    other = evaluate(Popularity().fit(train.csr), train, test)
    with pytest.raises(ValueError, match="als and popularity were evaluated on different users"):
        bootstrap_difference(als, other)


def test_users_who_have_nothing_in_train_are_counted_and_left_out(rows):
    train, test = parts(rows(("a", "x"), ("b", "y"), ("c", "z", 0)), rows(("a", "y"), ("c", "x")))
    found = evaluate(Popularity().fit(train.csr), train, test)
    assert found.user_indices.tolist() == [0]
    assert found.users_without_train == 1


def test_without_users_to_evaluate_all_metrics_are_unknown(rows):
    for table in (rows(("a", "x")), rows()):
        train, test = parts(table, rows())
        found = evaluate(Popularity().fit(train.csr), train, test)
        assert found.user_ndcg.shape == (0, 3)
        assert "ndcg@10" in found.metrics
        assert all(math.isnan(value) for value in found.metrics.values())
        with pytest.raises(ValueError, match="no user could be evaluated"):
            bootstrap_difference(found, found)


def test_pairs_in_both_train_and_test_are_refused(rows):
    train, test = parts(rows(("a", "x"), ("b", "y")), rows(("a", "x")))
    with pytest.raises(ValueError, match="1 test pairs are in train too"):
        evaluate(Popularity().fit(train.csr), train, test)


def test_matrices_with_other_id_maps_are_refused(rows):
    train, test = (InteractionMatrix.from_table(rows((user, "x"))) for user in "ab")
    with pytest.raises(ValueError, match="number their users or items differently"):
        evaluate(Popularity().fit(train.csr), train, test)


@pytest.mark.parametrize("ks", [(), (0,)])
def test_cutoffs_without_meaning_are_refused(split, ks):
    with pytest.raises(ValueError, match="give cutoffs of 1 and more"):
        evaluate(Popularity().fit(split.train.csr), split.train, split.test, ks)


def test_a_cutoff_that_was_not_evaluated_is_named(als):
    with pytest.raises(ValueError, match=r"at \(10, 20, 50\), not at 7"):
        als.ndcg(7)


def test_cutoffs_beyond_the_number_of_items_are_fine(rows):
    train, test = parts(rows(("a", "x"), ("b", "y")), rows(("a", "y")))
    found = evaluate(Popularity().fit(train.csr), train, test, ks=(50,))
    assert found.metrics["recall@50"] == 1
    assert np.array_equal(found.user_ndcg, [[1]])
