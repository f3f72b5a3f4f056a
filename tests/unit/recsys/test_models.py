"""What every model promises, and what each one learns."""

import hashlib
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse

from recsys import ALS, InteractionMatrix, Popularity

MODELS = [Popularity, lambda: ALS(factors=8, regularization=1)]
each_model = pytest.mark.parametrize("build", MODELS, ids=["popularity", "als"])


def everyone(matrix):
    return np.arange(matrix.csr.shape[0])


def digest(factors):
    return hashlib.sha256(factors.users.tobytes() + factors.items.tobytes()).hexdigest()


@each_model
def test_seen_items_are_never_recommended(build, tasteful):
    model = build().fit(tasteful.csr)
    ids, scores = model.recommend(everyone(tasteful), tasteful.csr, 10)
    assert (ids.dtype, scores.dtype, ids.shape) == (np.int32, np.float32, (1200, 10))
    seen = tasteful.csr[np.repeat(everyone(tasteful), 10), ids.ravel()]
    assert seen.sum() == 0
    assert (np.diff(scores, axis=1) <= 0).all()


@each_model
def test_a_user_who_has_seen_nearly_all_gets_what_is_left(build, rows):
    table = rows(("a", "x"), ("a", "y"), ("b", "x"), ("b", "z"), ("c", "x"), ("c", "y"), ("c", "z"))
    matrix = InteractionMatrix.from_table(table)
    ids, scores = build().fit(matrix.csr).recommend(everyone(matrix), matrix.csr, 2)
    assert ids.tolist() == [[2, -1], [1, -1], [-1, -1]]
    assert np.isneginf(scores[ids < 0]).all()


@each_model
def test_fitting_leaves_the_matrix_alone(build, tasteful):
    before = tasteful.csr.copy()
    build().fit(tasteful.csr)
    assert (before != tasteful.csr).nnz == 0


@each_model
@pytest.mark.parametrize("weight", [np.nan, np.inf, -1, 0])
def test_weights_that_are_no_positive_amount_are_refused(build, weight):
    matrix = scipy.sparse.csr_matrix(([weight], [0], [0, 1]), shape=(1, 2), dtype=np.float32)
    with pytest.raises(ValueError, match="NaN, infinite, zero or negative"):
        build().fit(matrix)


@each_model
def test_rows_that_do_not_match_the_users_are_refused(build, tasteful):
    model = build().fit(tasteful.csr)
    with pytest.raises(ValueError, match="1200 rows for 2 users"):
        model.recommend(np.array([0, 1]), tasteful.csr, 5)


@each_model
def test_an_item_is_not_similar_to_itself_nor_to_one_nobody_has(build, rows):
    table = rows(("a", "x"), ("a", "y"), ("b", "x"), ("b", "y"))
    matrix = InteractionMatrix.from_table(table, items=pa.array(["v", "x", "y"]))
    ids, likeness = build().fit(matrix.csr).similar_items(np.array([0, 1, 2]), 2)
    assert ids.tolist() == [[-1, -1], [2, -1], [1, -1]]
    assert (likeness[ids >= 0] > 0).all()


@each_model
def test_a_model_is_asked_for_factors_only_once_fitted(build):
    with pytest.raises(RuntimeError, match="not fitted"):
        build().factors  # noqa: B018


def test_popularity_counts_users_and_ranks_ties_by_item(rows):
    table = rows(("a", "q", 99), ("b", "x"), ("c", "x"), ("b", "w"), ("d", "m"))
    matrix = InteractionMatrix.from_table(table)
    ids, scores = Popularity().fit(matrix.csr).recommend(everyone(matrix), matrix.csr, 3)
    assert matrix.items.to_pylist() == ["m", "q", "w", "x"]
    assert ids[0].tolist() == [3, 0, 2]
    assert scores[0].tolist() == [2, 1, 1]
    assert ids[1].tolist() == [0, 1, -1]


def test_popularity_of_nothing_recommends_nothing(rows):
    matrix = InteractionMatrix.from_table(rows())
    ids, _ = Popularity().fit(matrix.csr).recommend(everyone(matrix), matrix.csr, 3)
    assert ids.shape == (0, 3)


def test_als_finds_the_taste_of_a_user(tasteful):
    model = ALS(factors=16, regularization=30).fit(tasteful.csr)
    ids, _ = model.recommend(everyone(tasteful), tasteful.csr, 5)
    # In this world an item's taste is its number modulo 8, and a user's likewise.
    tastes = np.array(tasteful.items.to_pylist(), dtype=int) % 8
    wanted = np.array(tasteful.users.to_pylist(), dtype=int) % 8
    assert (tastes[ids] == wanted[:, None]).mean() > 0.9


def test_one_seed_gives_byte_identical_factors_whatever_the_threads(tasteful):
    digests = {
        digest(ALS(factors=16, seed=5, threads=threads).fit(tasteful.csr).factors)
        for threads in (1, 2, 2, 0)
    }
    assert len(digests) == 1
    assert digest(ALS(factors=16, seed=6).fit(tasteful.csr).factors) not in digests


def test_the_unit_of_the_weights_changes_no_ranking(tasteful):
    users = everyone(tasteful)
    one, other = (
        ALS(factors=16).fit(tasteful.csr * scale).recommend(users, tasteful.csr, 5)[0]
        for scale in (np.float32(1), np.float32(1024))
    )
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("shape", [(0, 0), (3, 4)])
def test_als_says_that_it_cannot_learn_from_nothing(shape):
    with pytest.raises(ValueError, match=r"without interactions: widen the data window"):
        ALS().fit(scipy.sparse.csr_matrix(shape, dtype=np.float32))


def test_als_says_when_regularization_leaves_nothing_of_one_user(rows):
    matrix = InteractionMatrix.from_table(rows(("a", "x"), ("a", "y")))
    with pytest.raises(ValueError, match=r"regularization 100\.0 outweighs 2 interactions"):
        ALS().fit(matrix.csr)


@pytest.mark.parametrize(
    "parameters", [{"factors": 0}, {"iterations": 0}, {"regularization": -1}, {"alpha": 0}]
)
def test_als_refuses_parameters_without_meaning(parameters):
    with pytest.raises(ValueError, match="ALS needs factors"):
        ALS(**parameters)


def test_implicit_is_imported_by_fitting_and_not_before():
    code = "import sys, recsys; recsys.ALS(); sys.exit('implicit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
