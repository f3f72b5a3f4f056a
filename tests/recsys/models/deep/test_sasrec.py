"""SASRec learns which item follows which; training needs JAX, and serving NumPy and pyarrow."""

import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse

from recsys import InteractionMatrix, evaluate, load, memory
from recsys.memory import TooLargeError
from recsys.models.catalog import COLLABORATIVE, new_model
from recsys.models.deep.sasrec import SASRec
from recsys.models.deep.training import DeepMissingError
from recsys.scoring.lists.reasons import reasons
from recsys.scoring.networks.self_attention import hidden_states

SMALL = {"width": 16, "blocks": 1, "length": 6, "batch": 8, "learning_rate": 0.01}
ITEMS = 30


@pytest.fixture(scope="module")
def fitted(split):
    return new_model("sasrec", SMALL).fit(split.train.csr, split.train.times)


@pytest.mark.deep
def test_sasrec_finds_the_next_item_which_a_matrix_does_not_tell(fitted, split):
    found = evaluate(fitted, split.train, split.test, (1,)).metrics["ndcg@1"]
    linear = new_model("ease", {"regularization": 1}).fit(split.train.csr)
    assert found > 0.9
    assert evaluate(linear, split.train, split.test, (1,)).metrics["ndcg@1"] < 0.8


@pytest.mark.deep
def test_sampled_items_teach_the_same_order(split):
    model = SASRec(**SMALL, negatives=10).fit(split.train.csr, split.train.times)
    assert evaluate(model, split.train, split.test, (1,)).metrics["ndcg@1"] > 0.8


@pytest.mark.deep
def test_training_ends_when_validation_finds_nothing_better_and_keeps_the_best(split):
    model = SASRec(**SMALL, patience=2).fit(split.train.csr, split.train.times)
    found = [epoch.validated for epoch in model.epochs_made]
    assert len(found) < 100
    assert found.index(max(found)) == len(found) - 3
    assert all(epoch.seconds > 0 and epoch.cpu_seconds > 0 for epoch in model.epochs_made)


@pytest.mark.deep
def test_one_seed_gives_the_same_bytes_and_another_seed_others(fitted, split):
    def digest(seed):
        model = SASRec(**SMALL, seed=seed).fit(split.train.csr, split.train.times)
        return {name: array.tobytes() for name, array in model.scorer.arrays().items()}

    first = {name: array.tobytes() for name, array in fitted.scorer.arrays().items()}
    assert digest(0) == first
    assert digest(1) != first


@pytest.mark.deep
def test_numpy_scores_as_jax_does(fitted, split):
    import jax

    random = np.random.default_rng(0)
    inputs = random.integers(ITEMS, size=(40, 7))
    own, places = fitted.scorer.arrays(), np.arange(7)[None, :]
    visible = np.tril(np.ones((1, 7, 7), dtype=bool))
    with_numpy, with_jax = (
        hidden_states(xp, own, 1, inputs, places, visible) for xp in (np, jax.numpy)
    )
    np.testing.assert_allclose(with_numpy, with_jax, rtol=1e-5, atol=1e-5)
    items = own["tokens"][:-1]
    np.testing.assert_allclose(
        with_numpy @ items.T, np.asarray(with_jax @ items.T), rtol=1e-5, atol=1e-5
    )


@pytest.mark.deep
def test_a_user_new_and_the_same_user_known_get_the_same(fitted, split):
    train = split.train
    known, _ = fitted.recommend(np.arange(50), train.csr[:50], 5)
    times = train.times[: train.csr.indptr[50]]
    new, _ = fitted.recommend_new(train.csr[:50], 5, times)
    np.testing.assert_array_equal(known, new)


PRINTED = """
print(model.recommend("u000", 1)["item_id"][0].as_py())
print(model.recommend_for_items(["i03", "i04", "i05"], 1)["item_id"][0].as_py())
print(model.recommend_for_items(["i05", "i04", "stranger"], 1)["source"][0].as_py())
print(model.recommend("stranger", 1)["source"][0].as_py())
"""


@pytest.mark.deep
def test_what_jax_learned_is_served_by_numpy_and_pyarrow_alone(fitted, split, published, consumed):
    folder = published(fitted, split.train)
    assert load(folder).manifest["settings"] == {"architecture": "sasrec", "heads": 1}
    assert load(folder).manifest["parameters"] == dict(fitted.parameters)
    np.testing.assert_array_equal(load(folder).histories.times, split.train.times)
    ids, _ = fitted.recommend(np.array([0]), split.train.csr[:1], 1)
    expected = split.train.items[int(ids[0, 0])].as_py()
    assert consumed(folder, PRINTED) == [expected, "i06", "model", "popularity"]


@pytest.mark.deep
def test_the_item_before_is_the_reason_for_the_next(fitted, split, published):
    model = load(published(fitted, split.train))
    first = []
    for user in range(0, 300, 10):
        offered = model.recommend(model.users[user].as_py(), 1)["item_id"][0].as_py()
        found = reasons(model, model.users[user].as_py(), offered, 1)["item_id"].to_pylist()
        first += [int(offered[1:]) - int(item[1:]) for item in found]
    assert np.mean([step % ITEMS == 1 for step in first]) > 0.8


@pytest.mark.deep
def test_one_user_and_one_item_are_learned_without_validation(rows):
    one = InteractionMatrix.from_table(rows(("a", "x"), ("a", "y", 1, 1)))
    model = SASRec(**SMALL, epochs=2).fit(one.csr, one.times)
    assert [epoch.validated for epoch in model.epochs_made] == [None, None]
    assert model.recommend(np.array([0]), one.csr, 2)[0].tolist() == [[-1, -1]]
    alone = InteractionMatrix.from_table(rows(("a", "x")))
    single = SASRec(**SMALL, epochs=1).fit(alone.csr, alone.times)
    assert single.recommend_new(alone.csr[:0], 1, alone.times[:0])[0].shape == (0, 1)


@pytest.mark.deep
def test_users_without_items_and_items_without_users_are_ranked_by_popularity(rows, walks):
    import pyarrow as pa

    items = pa.array([*walks.items.to_pylist(), "nobody"])
    users = pa.array(["empty", *walks.users.to_pylist()])
    entries = (walks.csr.data, walks.csr.indices, np.concatenate(([0], walks.csr.indptr)))
    csr = scipy.sparse.csr_matrix(entries, shape=(301, ITEMS + 1))
    matrix = InteractionMatrix(csr, users, items, walks.times)
    model = SASRec(**SMALL, epochs=2).fit(csr, matrix.times)
    popular, _ = new_model("popularity").fit(csr).recommend(np.array([0]), csr[:1], 5)
    found, scores = model.recommend(np.array([0]), csr[:1], 5)
    assert found.tolist() == popular.tolist() and not scores.any()
    ids, _ = model.recommend(np.arange(1, 301), csr[1:], ITEMS)
    assert not (ids[:, :20] == ITEMS).any()


@pytest.mark.deep
def test_training_that_diverges_says_so(split):
    with pytest.raises(ValueError, match="training diverged in epoch"):
        SASRec(**{**SMALL, "learning_rate": 1e30}).fit(split.train.csr, split.train.times)


def test_without_jax_a_fit_names_the_extra(split, monkeypatch):
    monkeypatch.setitem(sys.modules, "optax", None)
    with pytest.raises(DeepMissingError, match=r"pip install 'social-assets\[deep\]'"):
        SASRec(**SMALL).fit(split.train.csr, split.train.times)


def test_jax_is_imported_by_fitting_alone_and_no_model_of_the_matrix_needs_it():
    assert "sasrec" not in COLLABORATIVE
    code = (
        "import sys; from recsys.models.catalog import new_model; new_model('sasrec');"
        "sys.exit('jax' in sys.modules or 'optax' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_matrix_without_times_is_refused_with_the_remedy(walks):
    with pytest.raises(ValueError, match="build the matrix from rows with event_time"):
        SASRec().fit(walks.csr)
    with pytest.raises(ValueError, match="a time for each of 1800 but has 3"):
        SASRec().fit(walks.csr, walks.times[:3])


def test_nothing_to_learn_from_is_refused():
    empty = scipy.sparse.csr_matrix((3, 4), dtype=np.float32)
    with pytest.raises(ValueError, match="without interactions: widen the data window"):
        SASRec().fit(empty, np.array([], dtype=np.int64))


def test_more_items_than_memory_are_declined_beforehand_and_sampled_ones_are_not(monkeypatch):
    wide = scipy.sparse.csr_matrix(([1.0], [0], [0, 1]), shape=(1, 2_000_000), dtype=np.float32)
    assert SASRec().bytes_needed(wide) > 2.5 * SASRec(negatives=1000).bytes_needed(wide)
    monkeypatch.setattr(memory, "free_bytes", lambda: 8 * 2**30)
    with pytest.raises(TooLargeError, match=r"^sasrec of 1 users x 2,000,000 items needs"):
        SASRec().fit(wide, np.zeros(1, dtype=np.int64))


@pytest.mark.parametrize(
    "wrong",
    [{"width": 0}, {"width": 6, "heads": 4}, {"dropout": 1.0}, {"negatives": -1}, {"epochs": 0}],
)
def test_parameters_without_meaning_are_refused(wrong):
    with pytest.raises(ValueError, match=r"needs .* but has"):
        SASRec(**wrong)


def test_sasrec_is_built_again_from_its_parameters():
    model = new_model("sasrec", {"width": 8, "dropout": 0.5})
    assert new_model("sasrec", model.parameters).parameters == model.parameters
    with pytest.raises(ValueError, match="sasrec does not take"):
        new_model("sasrec", {"factors": 8})
