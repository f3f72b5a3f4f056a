"""ALS: one seed gives one result, and data from which it cannot learn is refused."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse

from recsys import ALS, InteractionMatrix


def digest(factors):
    return hashlib.sha256(factors.users.tobytes() + factors.items.tobytes()).hexdigest()


def test_one_seed_gives_byte_identical_factors_whatever_the_threads(tasteful):
    digests = {
        digest(ALS(factors=16, seed=5, threads=threads).fit(tasteful.csr).factors)
        for threads in (1, 2, 2, 0)
    }
    assert len(digests) == 1
    assert digest(ALS(factors=16, seed=6).fit(tasteful.csr).factors) not in digests


def test_the_unit_of_the_weights_changes_no_ranking(tasteful):
    users = np.arange(tasteful.csr.shape[0])
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
        ALS(regularization=100).fit(matrix.csr)


def test_als_learns_from_any_number_of_interactions_by_its_defaults(rows):
    matrix = InteractionMatrix.from_table(rows(("a", "x"), ("a", "y"), ("b", "x"), ("c", "z")))
    model = ALS(factors=2).fit(matrix.csr)
    assert model.parameters["regularization"] == "by_size"
    # b, who has x, is offered what a has beside x.
    assert model.recommend(np.array([1]), matrix.csr[1:2], 1)[0].tolist() == [[1]]


def test_regularization_by_size_grows_with_the_interactions_up_to_100():
    def pull(interactions):
        users = interactions // 10
        columns = np.arange(interactions) % 100
        ends = np.arange(0, interactions + 1, 10)
        ones = np.ones(interactions, dtype=np.float32)
        matrix = scipy.sparse.csr_matrix((ones, columns, ends), shape=(users, 100))
        return ALS(factors=1, iterations=1).fit(matrix).factors.folding.pull

    assert [pull(1_000), pull(10_000), pull(200_000)] == pytest.approx([15.8, 50, 100], abs=0.1)


@pytest.mark.parametrize(
    "parameters",
    [
        {"factors": 0},
        {"iterations": 0},
        {"regularization": -1},
        {"regularization": "some"},
        {"alpha": 0},
    ],
)
def test_als_refuses_parameters_without_meaning(parameters):
    with pytest.raises(ValueError, match="ALS needs factors"):
        ALS(**parameters)


def test_implicit_is_imported_by_fitting_and_not_before():
    code = "import sys, recsys; recsys.ALS(); sys.exit('implicit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
