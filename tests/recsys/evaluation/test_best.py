"""The choice of the best model on a slice of the training data."""

import numpy as np
import pytest
import scipy.sparse

from recsys.evaluation import best
from recsys.evaluation.best import Best, choose
from recsys.evaluation.evaluate import evaluate
from recsys.interaction_file import hold_out
from recsys.models.catalog import new_model

FAST = (("popularity", {}), ("item_cosine", {}), ("graph_filter", {"width": 32}))


def test_where_taste_decides_a_model_of_taste_is_chosen_and_ranks_best(tasteful):
    pairs = hold_out(tasteful, 0.2, seed=5)
    chosen = Best(seconds=60).fit(pairs.train.csr)
    scored = {each.model for each in chosen.choice.tried if each.ndcg is not None}
    assert {"popularity", "item_cosine", "graph_filter", "ials", "als", "ease", "blend"} <= scored
    assert chosen.choice.model != "popularity"
    of_best = evaluate(chosen, pairs.train, pairs.test).metrics["ndcg@20"]
    for name in ("popularity", "item_cosine", "graph_filter", "als", "ease"):
        model = new_model(name).fit(pairs.train.csr)
        of_other = evaluate(model, pairs.train, pairs.test).metrics["ndcg@20"]
        assert of_best >= 0.98 * of_other, name


def test_where_everyone_takes_the_same_items_popularity_is_chosen():
    """Items are drawn by popularity alone, so that neighbours are only noise."""
    random = np.random.default_rng(2)
    chance = 1 / np.arange(1, 201) ** 1.5
    rows = [random.choice(200, 4, replace=False, p=chance / chance.sum()) for _ in range(2_000)]
    matrix = scipy.sparse.csr_matrix(
        (np.ones(8_000, np.float32), (np.repeat(np.arange(2_000), 4), np.concatenate(rows)))
    )
    assert choose(matrix, candidates=FAST).model == "popularity"


def test_a_chosen_model_scores_as_one_that_is_fitted_by_hand(tasteful):
    fitted = Best(seconds=1, seed=3).fit(tasteful.csr)
    choice = fitted.choice
    by_hand = new_model(choice.model, choice.parameters).fit(tasteful.csr)
    users = np.arange(20)
    ids, scores = fitted.recommend(users, tasteful.csr[users], 10)
    expected_ids, expected_scores = by_hand.recommend(users, tasteful.csr[users], 10)
    assert (ids == expected_ids).all()
    assert (scores == expected_scores).all()


def test_one_seed_gives_one_choice(tasteful):
    one, other = (choose(tasteful.csr, candidates=FAST, seed=4) for _ in range(2))
    assert (one.model, dict(one.parameters)) == (other.model, dict(other.parameters))
    assert [each.ndcg for each in one.tried] == [each.ndcg for each in other.tried]


def test_when_the_time_is_over_the_best_so_far_is_chosen(tasteful):
    choice = choose(tasteful.csr, candidates=FAST, seconds=1e-9)
    assert choice.model == "popularity"
    assert [each.reason for each in choice.tried[1:]] == ["no time was left"] * 2


def test_with_one_item_a_user_popularity_is_chosen_and_the_reason_is_said():
    matrix = scipy.sparse.csr_matrix(np.eye(50, dtype=np.float32))
    fitted = Best().fit(matrix)
    assert fitted.choice.model == "popularity"
    assert "0 users have two items" in fitted.choice.reason
    assert np.isfinite(fitted.scores(np.arange(3), matrix[:3])).all()


def test_a_candidate_that_cannot_be_fitted_is_passed_over_with_its_reason(tasteful, monkeypatch):
    monkeypatch.setattr("recsys.models.ease.EASE.bytes_needed", lambda self, csr: 1 << 60)
    choice = choose(tasteful.csr, candidates=(("ease", {}), ("item_cosine", {})))
    assert choice.model == "item_cosine"
    assert choice.tried[0].ndcg is None
    assert "GiB" in choice.tried[0].reason


def test_on_large_data_a_fit_that_would_take_too_long_is_not_begun(tasteful, monkeypatch):
    monkeypatch.setattr(best, "_SAMPLED_FROM", 1)
    monkeypatch.setattr(best, "_SAMPLE", 4)
    small = (("popularity", {}), ("item_cosine", {}))
    slow = ("bpr", {"iterations": 2_000, "factors": 256})
    choice = choose(tasteful.csr, candidates=(*small, slow), seconds=6)
    assert "a fit takes about" in choice.tried[-1].reason


def test_without_interactions_nothing_can_be_chosen():
    with pytest.raises(ValueError, match="without interactions: widen"):
        Best().fit(scipy.sparse.csr_matrix((3, 3), dtype=np.float32))


@pytest.mark.parametrize("wrong", [{"seconds": 0}, {"share": 0.0}, {"share": 1.0}])
def test_parameters_that_cannot_work_are_refused(wrong):
    with pytest.raises(ValueError, match="best needs seconds > 0"):
        Best(**wrong)


def test_blends_of_the_best_three_are_tried_and_the_best_of_all_is_chosen(tasteful):
    candidates = (*FAST, ("ease", {}))
    choice = choose(tasteful.csr, candidates=candidates)
    ranked = {each.model: each.ndcg for each in choice.tried if each.model != "blend"}
    blended = [each for each in choice.tried if each.model == "blend"]
    assert {(each.parameters["base"], each.parameters["added"]) for each in blended} == {
        (one, other)
        for one in ("item_cosine", "graph_filter", "ease")
        for other in ("item_cosine", "graph_filter", "ease")
        if ranked[one] > ranked[other]
    }
    assert sorted({each.parameters["weight"] for each in blended}) == [0.3, 0.6, 1.0]
    assert f"{max(each.ndcg for each in choice.tried):.4f}" in choice.reason
