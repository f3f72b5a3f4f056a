"""GRU4Rec learns which item follows which; what JAX trained, NumPy serves."""

import sys

import numpy as np
import pytest

from recsys import InteractionMatrix, evaluate, load
from recsys.models.catalog import new_model
from recsys.models.deep.gru4rec import GRU4Rec
from recsys.models.deep.training import DeepMissingError
from recsys.scoring.networks.recurrent import hidden_states

SMALL = {"width": 16, "length": 6, "batch": 8, "learning_rate": 0.02}


@pytest.fixture(scope="module")
def fitted(split):
    return new_model("gru4rec", SMALL).fit(split.train.csr, split.train.times)


@pytest.mark.deep
def test_gru4rec_finds_the_next_item_which_a_matrix_does_not_tell(fitted, split):
    found = evaluate(fitted, split.train, split.test, (1,)).metrics["ndcg@1"]
    linear = new_model("ease", {"regularization": 1}).fit(split.train.csr)
    assert found > 0.9
    assert evaluate(linear, split.train, split.test, (1,)).metrics["ndcg@1"] < 0.8


@pytest.mark.deep
@pytest.mark.parametrize(
    "sampled",
    [
        {"negatives": 10},
        {"negatives": 10, "popularity": 0},
        {"negatives": 10, "loss": "bpr_max", "penalty": 0.01},
    ],
)
def test_sampled_items_teach_the_same_order_by_each_loss(split, sampled):
    model = GRU4Rec(**SMALL, **sampled).fit(split.train.csr, split.train.times)
    assert evaluate(model, split.train, split.test, (1,)).metrics["ndcg@1"] > 0.8


@pytest.mark.deep
def test_one_seed_gives_the_same_bytes_and_another_seed_others(fitted, split):
    def digest(seed):
        model = GRU4Rec(**SMALL, seed=seed).fit(split.train.csr, split.train.times)
        return {name: array.tobytes() for name, array in model.scorer.arrays().items()}

    first = {name: array.tobytes() for name, array in fitted.scorer.arrays().items()}
    assert digest(0) == first
    assert digest(1) != first


@pytest.mark.deep
def test_numpy_reads_as_jax_does_and_a_sequence_does_not_read_the_one_before_it(fitted):
    import jax

    random = np.random.default_rng(0)
    inputs = random.integers(30, size=(40, 7))
    begins = np.zeros((40, 7), dtype=bool)
    begins[:, 0] = begins[:, 3] = True
    own = fitted.scorer.arrays()
    with_numpy = hidden_states(np, own, inputs, begins)
    with_jax = hidden_states(jax.numpy, own, inputs, begins, jax.lax.scan)
    np.testing.assert_allclose(with_numpy, with_jax, rtol=1e-5, atol=1e-5)
    alone = hidden_states(np, own, inputs[:, 3:], begins[:, 3:])
    np.testing.assert_allclose(with_numpy[:, 3:], alone, rtol=1e-6)


PRINTED = """
print(model.recommend("u000", 1)["item_id"][0].as_py())
print(model.recommend_for_items(["i03", "i04", "i05"], 1)["item_id"][0].as_py())
print(model.recommend("stranger", 1)["source"][0].as_py())
"""


@pytest.mark.deep
def test_what_jax_learned_is_served_by_numpy_and_pyarrow_alone(fitted, split, published, consumed):
    folder = published(fitted, split.train)
    assert load(folder).manifest["settings"] == {"architecture": "gru4rec", "newest": 6}
    assert load(folder).manifest["parameters"] == dict(fitted.parameters)
    ids, _ = fitted.recommend(np.array([0]), split.train.csr[:1], 1)
    expected = split.train.items[int(ids[0, 0])].as_py()
    assert consumed(folder, PRINTED) == [expected, "i06", "popularity"]


@pytest.mark.deep
def test_one_user_and_one_item_are_learned_without_validation(rows):
    one = InteractionMatrix.from_table(rows(("a", "x"), ("a", "y", 1, 1)))
    model = GRU4Rec(**SMALL, epochs=2).fit(one.csr, one.times)
    assert [epoch.validated for epoch in model.epochs_made] == [None, None]
    assert model.recommend(np.array([0]), one.csr, 2)[0].tolist() == [[-1, -1]]


def test_without_jax_a_fit_names_the_model_and_the_extra(split, monkeypatch):
    monkeypatch.setitem(sys.modules, "optax", None)
    with pytest.raises(DeepMissingError, match=r"^gru4rec .* pip install 'social-assets\[deep\]'"):
        GRU4Rec(**SMALL).fit(split.train.csr, split.train.times)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"width": 0}, "gru4rec needs width"),
        ({"dropout": 1.0}, "a training needs batch"),
        ({"learning_rate": 0}, "a training needs a learning_rate"),
        ({"loss": "top1"}, "no loss is called 'top1': cross_entropy, bpr_max"),
        ({"loss": "bpr_max"}, "bpr_max compares with sampled items, and needs negatives >= 1"),
        ({"popularity": -1}, "needs negatives, popularity and penalty >= 0"),
    ],
)
def test_parameters_without_meaning_are_refused(wrong, told):
    with pytest.raises(ValueError, match=told):
        GRU4Rec(**wrong)


def test_gru4rec_is_built_again_from_its_parameters():
    model = new_model("gru4rec", {"width": 8, "loss": "bpr_max", "negatives": 5})
    assert new_model("gru4rec", model.parameters).parameters == model.parameters
