"""What weights of lists cost and gain: no weight changes nothing, each gains what it is for."""

import numpy as np
import pytest

from recsys import evaluate
from recsys.evaluation.chosen_lists import measure_choices
from recsys.models.catalog import new_model
from recsys.scoring.lists.choosing import ItemTraits, Weights


@pytest.fixture(scope="module")
def split(tasteful):
    random = np.random.default_rng(0)
    tested = random.random(tasteful.csr.nnz) < 0.2
    return tasteful.keeping(~tested), tasteful.keeping(tested)


@pytest.fixture(scope="module")
def measured(split):
    train, test = split
    model = new_model("als", {"factors": 16}).fit(train.csr)
    items = len(train.items)
    traits = ItemTraits(np.arange(items) // 8, np.arange(items, dtype=np.float32))
    choices = [
        Weights(),
        Weights(diversity=0.5),
        Weights(freshness=0.5, fresh_days=20),
        Weights(most_of_creator=1),
    ]
    found = measure_choices(model, train, test, choices, traits)
    return evaluate(model, train, test, ks=(10,)), found


def test_without_weights_the_figures_are_those_of_the_evaluation(measured):
    evaluation, (plain, *_) = measured
    assert plain.ndcg == pytest.approx(evaluation.metrics["ndcg@10"])
    assert plain.recall == pytest.approx(evaluation.metrics["recall@10"])
    assert plain.coverage == pytest.approx(evaluation.metrics["coverage@10"])


def test_each_weight_gains_what_it_is_for_and_costs_hits(measured):
    plain, varied, fresh, few = measured[1]
    assert varied.diversity > plain.diversity and varied.ndcg < plain.ndcg
    assert fresh.age_days < plain.age_days
    assert few.creators == 10 > plain.creators


def test_a_split_without_users_is_refused(split):
    train, _ = split
    nobody = train.keeping(np.zeros(train.csr.nnz, dtype=bool))
    model = new_model("als", {"factors": 4}).fit(train.csr)
    with pytest.raises(ValueError, match="no user could be evaluated"):
        measure_choices(model, train, nobody, [Weights()], ItemTraits.of(train.items, None))
