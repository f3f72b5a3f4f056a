"""The blend: what it adds, and that it refuses parts which do not make a blend."""

import numpy as np
import pytest

from recsys.models.blend import Blend
from recsys.models.catalog import new_model
from recsys.models.numerics.spread import mean_spreads
from recsys.scoring.histories import Histories

SMALL = {"added_factors": 8, "base_width": 8}


@pytest.fixture(scope="module")
def blend(tasteful):
    return Blend(weight=0.5, **SMALL).fit(tasteful.csr)


@pytest.mark.parametrize("known", [True, False], ids=["fitted", "new"])
def test_the_scores_are_the_sum_of_both_parts_each_divided_by_its_spread(blend, tasteful, known):
    users, rows = np.arange(30), tasteful.csr[:30]
    base = new_model("graph_filter", {"width": 8, "low_pass_weight": 1.2}).fit(tasteful.csr)
    added = new_model("ials", {"factors": 8, "regularization": 0.05}).fit(tasteful.csr)
    expected = np.zeros((30, 400))
    for model, weight in ((base, 1), (added, 0.5)):
        [spread] = mean_spreads([(model.scorer, model.histories(tasteful.csr))])
        scores = model.scores(users, rows) if known else model.fold_in(rows)
        expected += weight * scores / spread
    found = blend.scores(users, rows) if known else blend.fold_in(rows)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_any_two_models_can_be_blended(tasteful):
    parameters = {"base": "ease", "added": "item_bm25", "base_regularization": 50}
    model = new_model("blend", parameters).fit(tasteful.csr)
    assert [part.scorer.scoring for part in model.scorer.parts] == ["dense_filter", "item_filter"]
    assert new_model("blend", model.parameters).parameters == model.parameters
    assert model.parameters["base_regularization"] == 50


def test_two_models_that_make_no_blend_are_refused():
    with pytest.raises(ValueError, match=r"two models of graph_filter.*'ease' and 'ease'"):
        Blend(base="ease", added="ease")
    with pytest.raises(ValueError, match="but has 'ease' and 'deep'"):
        Blend(base="ease", added="deep")
    with pytest.raises(ValueError, match="weight > 0, but has 0"):
        Blend(weight=0)
    with pytest.raises(ValueError, match=r"blend does not take .*depth"):
        new_model("blend", {"added_depth": 3})


def test_the_spread_is_the_mean_deviation_of_the_scores_of_users_with_interactions(tasteful):
    model = new_model("popularity_decayed").fit(tasteful.csr)
    [spread] = mean_spreads([(model.scorer, Histories.of(tasteful.csr))])
    weights = np.asarray(tasteful.csr.sum(axis=0)).ravel()
    assert spread == pytest.approx(weights.std(), rel=1e-5)
    [none] = mean_spreads([(model.scorer, Histories.of(tasteful.csr[:0]))])
    assert none == 0
