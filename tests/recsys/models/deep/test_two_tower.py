"""Two towers learn tastes from histories, and find items without interactions by their texts."""

import sys

import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse

from recsys import InteractionMatrix, evaluate, load, memory
from recsys.evaluation.next_item import leave_last_out
from recsys.memory import TooLargeError
from recsys.models.catalog import new_model
from recsys.models.deep.training import DeepMissingError
from recsys.models.deep.two_tower import TwoTowers, topics_of
from recsys.scoring.networks.two_tower import user_vectors

SMALL = {"width": 16, "hidden": 16, "topics": 8, "batch": 128, "epochs": 30}
TASTES, ITEMS, COLD = 6, 60, 6
NAMES = ("cats", "boats", "trains", "bread", "chess", "roses")


def texts(items):
    """The text of an item names its taste."""
    return [f"a post about {NAMES[int(item[1:]) % TASTES]}" for item in items]


@pytest.fixture(scope="module")
def split(rows):
    """400 users, each of one taste; the first COLD items of the matrix nobody has."""
    random = np.random.default_rng(5)
    table = rows(
        *(
            (f"u{user:03}", f"i{COLD + taste_item:02}", 1.0, day)
            for user in range(400)
            for day, taste_item in enumerate(
                random.permutation(np.arange(user % TASTES, ITEMS - COLD, TASTES))[:6]
            )
        )
    )
    matrix = InteractionMatrix.from_table(table)
    items = pa.array([*(f"i{n:02}" for n in range(COLD)), *matrix.items.to_pylist()])
    return leave_last_out(matrix.over(items))


@pytest.fixture(scope="module")
def fitted(split):
    return new_model("two_towers", SMALL, texts(split.train.items.to_pylist())).fit(split.train.csr)


@pytest.mark.deep
def test_two_towers_find_the_items_of_a_users_taste(fitted, split):
    found = evaluate(fitted, split.train, split.test, (10,)).metrics["recall@10"]
    popular = new_model("popularity").fit(split.train.csr)
    assert found > 0.9
    assert evaluate(popular, split.train, split.test, (10,)).metrics["recall@10"] < 0.5


@pytest.mark.deep
def test_an_item_that_nobody_had_is_offered_to_those_whose_taste_its_text_names(fitted, split):
    scores = fitted.scores(np.arange(60), split.train.csr[:60])
    own = np.array([scores[user, user % TASTES] for user in range(60)])
    others = (scores[:, :COLD].sum(axis=1) - own) / (COLD - 1)
    assert (own > others).mean() > 0.95


@pytest.mark.deep
def test_one_seed_gives_the_same_bytes(fitted, split):
    again = TwoTowers(texts(split.train.items.to_pylist()), **SMALL).fit(split.train.csr)
    first = {name: array.tobytes() for name, array in fitted.scorer.arrays().items()}
    assert {name: array.tobytes() for name, array in again.scorer.arrays().items()} == first


@pytest.mark.deep
def test_numpy_scores_as_jax_does(fitted):
    import jax

    own = fitted.scorer.arrays()
    means = np.random.default_rng(0).normal(size=(40, 16)).astype(np.float32)
    np.testing.assert_allclose(
        user_vectors(np, own, means), user_vectors(jax.numpy, own, means), rtol=1e-5, atol=1e-5
    )


PRINTED = """
print(model.recommend("u000", 1)["item_id"][0].as_py())
print(model.recommend_for_items(["i06"], 1)["source"][0].as_py())
print(model.recommend("stranger", 1)["source"][0].as_py())
"""


@pytest.mark.deep
def test_what_jax_learned_is_served_by_numpy_and_pyarrow_alone(fitted, split, published, consumed):
    folder = published(fitted, split.train)
    assert load(folder).manifest["scoring"] == "two_tower"
    ids, _ = fitted.recommend(np.array([0]), split.train.csr[:1], 1)
    expected = split.train.items[int(ids[0, 0])].as_py()
    assert consumed(folder, PRINTED) == [expected, "model", "popularity"]


@pytest.mark.deep
@pytest.mark.parametrize("no_text", [None, "", "!!"])
def test_without_texts_it_learns_from_interactions_alone(rows, no_text):
    matrix = InteractionMatrix.from_table(rows(("a", "x"), ("a", "y"), ("b", "x"), ("b", "z")))
    model = TwoTowers([no_text] * 3, **{**SMALL, "epochs": 2}).fit(matrix.csr)
    assert np.isfinite(model.scores(np.arange(2), matrix.csr)).all()
    assert [epoch.validated for epoch in model.epochs_made] == [None, None]


def test_vectors_of_texts_are_alike_where_words_are_and_zero_without_words():
    found = topics_of(["red cats", "cats red", "blue boats", None, "boats sail"], 3, 0)
    assert found.shape == (5, 3) and not found[3].any()
    assert found[0] @ found[1] > 0.99 > found[0] @ found[2]
    assert not topics_of([None, ""], 3, 0).any()
    assert topics_of(["one"], 3, 0).shape == (1, 3)


def test_nobody_with_two_items_and_texts_of_other_items_are_refused(rows):
    single = InteractionMatrix.from_table(rows(("a", "x"), ("b", "y")))
    with pytest.raises(ValueError, match="nobody has two: widen the data window"):
        TwoTowers(["x", "y"]).fit(single.csr)
    with pytest.raises(ValueError, match="there are 1 texts for 2 items"):
        TwoTowers(["x"]).fit(single.csr)


def test_without_jax_a_fit_names_the_model_and_the_extra(split, monkeypatch):
    monkeypatch.setitem(sys.modules, "optax", None)
    model = TwoTowers([None] * len(split.train.items))
    with pytest.raises(DeepMissingError, match=r"^two_towers .* 'social-assets\[deep\]'"):
        model.fit(split.train.csr)


def test_more_items_than_memory_are_declined_beforehand(monkeypatch):
    wide = scipy.sparse.csr_matrix(([1.0], [0], [0, 1]), shape=(1, 2_000_000), dtype=np.float32)
    monkeypatch.setattr(memory, "free_bytes", lambda: 4 * 2**30)
    with pytest.raises(TooLargeError, match=r"^two_towers of 1 users x 2,000,000 items needs"):
        TwoTowers([None] * 2_000_000).fit(wide)


@pytest.mark.parametrize("wrong", [{"width": 0}, {"leave_out": 1.0}, {"history": 0}])
def test_parameters_without_meaning_are_refused(wrong):
    with pytest.raises(ValueError, match="two_towers needs"):
        TwoTowers([], **wrong)


def test_two_towers_are_built_again_from_their_parameters():
    model = new_model("two_towers", {"width": 8, "leave_out": 0.5}, ["a"])
    assert new_model("two_towers", model.parameters, ["a"]).parameters == model.parameters
