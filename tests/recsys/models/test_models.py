"""The common behaviour of all models, and what each model learns."""

import functools
import hashlib

import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse

from recsys import InteractionMatrix, Popularity, memory
from recsys.memory import TooLargeError
from recsys.models.catalog import COLLABORATIVE, FROM_TEXT, new_model
from recsys.models.ease import EASE
from recsys.models.graph_filter import GraphFilter
from recsys.models.numerics.low_pass import right_singular_vectors


class Builder:
    """Builds a model of that name with parameters for few data."""

    def __init__(self, name):
        self.name = name

    def __call__(self):
        return new_model(self.name, SMALL.get(self.name))

    def __str__(self):
        return self.name


# Parameters that suit ten rows as well as sixty thousand.
SMALL = {
    "als": {"factors": 8, "regularization": 1},
    "ials": {"factors": 8},
    "bpr": {"factors": 8},
    "lmf": {"factors": 8},
    "ease": {"regularization": 1},
    "blend": {"added_factors": 8},
}
LEARNED = [name for name in COLLABORATIVE if not name.startswith("popularity")]
each_model = pytest.mark.parametrize("build", [Builder(name) for name in COLLABORATIVE], ids=str)
each_learned = pytest.mark.parametrize("name", LEARNED)


@pytest.fixture(scope="module")
def fitted(tasteful):
    """Fits a model of that name on the tasteful world, once for all tests."""

    @functools.cache
    def fit(name, small=False):
        # The blend's default of 256 factors takes seconds; its parts are tested with their own.
        own = SMALL.get(name) if small or name == "blend" else None
        return new_model(name, own).fit(tasteful.csr)

    return fit


def everyone(matrix):
    return np.arange(matrix.csr.shape[0])


def digest(factors):
    return hashlib.sha256(factors.users.tobytes() + factors.items.tobytes()).hexdigest()


@each_model
def test_seen_items_are_never_recommended(build, fitted, tasteful):
    model = fitted(build.name, small=True)
    ids, scores = model.recommend(everyone(tasteful), tasteful.csr, 10)
    assert (ids.dtype, scores.dtype, ids.shape) == (np.int32, np.float32, (1200, 10))
    seen = tasteful.csr[np.repeat(everyone(tasteful), 10), ids.ravel()]
    assert seen.sum() == 0
    assert (np.diff(scores, axis=1) <= 0).all()


@pytest.mark.parametrize("name", ["popularity", "popularity_decayed", "als", "ials", "ease"])
def test_a_user_who_has_seen_nearly_all_gets_what_is_left(name, rows):
    build = Builder(name)
    table = rows(("a", "x"), ("a", "y"), ("b", "x"), ("b", "z"), ("c", "x"), ("c", "y"), ("c", "z"))
    matrix = InteractionMatrix.from_table(table)
    ids, scores = build().fit(matrix.csr).recommend(everyone(matrix), matrix.csr, 2)
    assert ids.tolist() == [[2, -1], [1, -1], [-1, -1]]
    assert np.isneginf(scores[ids < 0]).all()


@each_model
@pytest.mark.parametrize("weight", [np.nan, np.inf, -1, 0])
def test_weights_that_are_no_positive_amount_are_refused(build, weight):
    matrix = scipy.sparse.csr_matrix(([weight], [0], [0, 1]), shape=(1, 2), dtype=np.float32)
    with pytest.raises(ValueError, match="NaN, infinite, zero or negative"):
        build().fit(matrix)


@each_model
def test_rows_that_do_not_match_the_users_are_refused(build, fitted, tasteful):
    model = fitted(build.name, small=True)
    with pytest.raises(ValueError, match="1200 rows for 2 users"):
        model.recommend(np.array([0, 1]), tasteful.csr, 5)


@each_model
def test_an_item_is_not_similar_to_itself_nor_to_one_nobody_has(build, rows):
    table = rows(("a", "x"), ("a", "y"), ("b", "x"), ("b", "y"))
    matrix = InteractionMatrix.from_table(table, items=pa.array(["v", "x", "y"]))
    ids, likeness = build().fit(matrix.csr).similar_items(np.array([0, 1, 2]), 2)
    assert ids[0].tolist() == [-1, -1]
    assert ids[1, 0] in (2, -1)
    assert not (ids == np.array([[0], [1], [2]])).any()
    assert (likeness[ids >= 0] > 0).all()


@each_model
def test_a_model_is_asked_for_factors_only_once_fitted(build):
    with pytest.raises(RuntimeError, match="not fitted"):
        build().scorer  # noqa: B018


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


def share_of_own_taste(ids, matrix):
    # In this world an item's taste is its number modulo 8, and a user's likewise.
    tastes = np.array(matrix.items.to_pylist(), dtype=int) % 8
    wanted = np.array(matrix.users.to_pylist(), dtype=int) % 8
    return (tastes[ids] == wanted[: len(ids), None]).mean()


@each_learned
def test_a_model_finds_the_taste_of_a_user(name, fitted, tasteful):
    model = fitted(name)
    ids, _ = model.recommend(everyone(tasteful), tasteful.csr, 5)
    assert share_of_own_taste(ids, tasteful) > 0.8


@each_learned
def test_a_model_finds_the_taste_of_someone_new_from_a_list_of_items(name, tasteful):
    model = new_model(name, SMALL[name] if name == "blend" else None).fit(tasteful.csr[200:])
    ids, _ = model.recommend_new(tasteful.csr[:200], 5)
    assert share_of_own_taste(ids, tasteful) > 0.75
    seen = tasteful.csr[np.repeat(np.arange(200), 5), ids.ravel()]
    assert seen.sum() == 0


@pytest.mark.parametrize("name", ["als", "item_cosine", "ease", "graph_filter", "popularity"])
def test_a_user_known_and_the_same_user_new_get_the_same(name, fitted, tasteful):
    # The sweeps of ALS come close to their end if the pull is strong.
    strong = {"regularization": 100} if name == "als" else None
    model = new_model(name, strong).fit(tasteful.csr) if strong else fitted(name)
    known, _ = model.recommend(np.arange(50), tasteful.csr[:50], 5)
    new, _ = model.recommend_new(tasteful.csr[:50], 5)
    assert (known == new).mean() > 0.98


@each_model
def test_one_seed_gives_the_same_bytes_and_fitting_leaves_the_matrix_alone(build, fitted, tasteful):
    before = tasteful.csr.copy()
    one, other = (
        fitted(build.name, small=True).scorer.arrays(),
        build().fit(tasteful.csr).scorer.arrays(),
    )
    assert {k: v.tobytes() for k, v in one.items()} == {k: v.tobytes() for k, v in other.items()}
    assert (before != tasteful.csr).nnz == 0


@each_learned
def test_a_model_is_built_again_from_its_parameters(name):
    assert new_model(name, new_model(name).parameters).parameters == new_model(name).parameters


@pytest.mark.parametrize("name", ["ials", "bpr", "lmf", "ease", "graph_filter", "blend"])
@pytest.mark.parametrize("shape", [(0, 0), (3, 4)])
def test_a_model_says_that_it_cannot_learn_from_nothing(name, shape):
    with pytest.raises(ValueError, match=r"without interactions: widen the data window"):
        new_model(name).fit(scipy.sparse.csr_matrix(shape, dtype=np.float32))


@each_model
def test_one_user_alone_gets_nothing_wrong(build, rows):
    matrix = InteractionMatrix.from_table(rows(("a", "x"), ("a", "y")), items=pa.array(list("xyz")))
    ids, _ = build().fit(matrix.csr).recommend(np.array([0]), matrix.csr, 2)
    assert set(ids.ravel()) <= {2, -1}


def test_decayed_popularity_sums_what_the_matrix_has_decayed(rows):
    matrix = InteractionMatrix.from_table(rows(("a", "old", 0.1), ("b", "old", 0.1), ("c", "new")))
    ids, scores = new_model("popularity_decayed").fit(matrix.csr).recommend_new(matrix.csr[:0], 1)
    assert ids.shape == (0, 1)
    one = scipy.sparse.csr_matrix((1, 2), dtype=np.float32)
    ids, scores = new_model("popularity_decayed").fit(matrix.csr).recommend_new(one, 2)
    assert [matrix.items[int(i)].as_py() for i in ids[0]] == ["new", "old"]
    assert scores[0].tolist() == pytest.approx([1, 0.2])


def test_ease_is_what_the_paper_says(tasteful):
    csr = tasteful.csr.copy()
    csr.data[:] = 1
    filled = EASE(regularization=50).fit(csr).item_filter.similarities(np.arange(400))
    inverse = np.linalg.inv((csr.T @ csr).toarray().astype(float) + 50 * np.eye(400))
    paper = -inverse / np.diag(inverse)
    np.fill_diagonal(paper, 0)
    np.testing.assert_allclose(filled, paper, atol=2e-4)


@each_model
@pytest.mark.parametrize("weight", [1e-20, 1e28])
def test_the_unit_of_the_weights_may_be_very_small_or_large(build, weight, rows):
    random = np.random.default_rng(0)
    pairs = [
        (str(u), str((u + int(i)) % 40)) for u in range(60) for i in random.integers(9, size=6)
    ]
    matrix = InteractionMatrix.from_table(rows(*dict.fromkeys(pairs)))
    lists = [
        build().fit(scaled).recommend(everyone(matrix), scaled, 3)
        for scaled in (matrix.csr, matrix.csr * np.float32(weight))
    ]
    assert all(np.isfinite(scores).all() for _, scores in lists)
    # LMF takes weights as numbers of observations, so that their unit has a meaning.
    assert build.name == "lmf" or (lists[0][0] == lists[1][0]).mean() > 0.98


# BPR gives items that nobody has the bias that it starts with.
@pytest.mark.parametrize("name", [name for name in LEARNED if name != "bpr"])
def test_users_and_items_of_which_nothing_is_known_are_ranked_by_popularity(name, rows):
    # z is what most users have; y and x follow. Nobody has a; s has nothing.
    table = rows(
        *[(f"u{n}", item) for item, users in (("z", 6), ("y", 4), ("x", 2)) for n in range(users)]
    )
    items, users = pa.array(list("axyz")), pa.array(["s", *(f"u{n}" for n in range(6))])
    matrix = InteractionMatrix.from_table(table, users=users, items=items)
    model = new_model(name, SMALL.get(name)).fit(matrix.csr)
    ids, _ = model.recommend(np.array([0]), matrix.csr[:1], 3)
    assert ids[0].tolist() == [3, 2, 1]


def test_ease_declines_beforehand_with_the_memory_it_would_need():
    wide = scipy.sparse.csr_matrix(([1.0], [0], [0, 1]), shape=(1, 41_000), dtype=np.float32)
    with pytest.raises(TooLargeError, match=r"41,000 items needs 25\.0 GiB and may use 16\.0"):
        EASE(memory_gib=16).fit(wide)


@pytest.mark.parametrize("name", [*COLLABORATIVE, "content"])
def test_a_matrix_too_large_for_memory_is_declined_before_anything_is_computed(
    name, tasteful, monkeypatch
):
    model = new_model(name, texts=["a"] * 400 if name in FROM_TEXT else None)
    monkeypatch.setattr(model, "_fit", lambda user_items: pytest.fail("it began to fit"))
    monkeypatch.setattr(memory, "free_bytes", lambda: 1_000)
    with pytest.raises(TooLargeError, match=rf"^{model.name} of .* users x 400 items needs"):
        model.fit(tasteful.csr)


def test_the_low_pass_is_that_of_scikit_learn():
    from sklearn.utils.extmath import randomized_svd

    random = np.random.default_rng(0)
    matrix = scipy.sparse.random(500, 300, 0.05, "csr", np.float32, random_state=1)
    matrix = matrix + scipy.sparse.csr_matrix(random.random((500, 3)) @ random.random((3, 300)))
    matrix = matrix.tocsr().astype(np.float32)
    ours = right_singular_vectors(matrix, 3)
    theirs = randomized_svd(matrix, 3, random_state=0)[2]
    np.testing.assert_allclose(ours @ ours.T, theirs.T @ theirs, atol=1e-3)


def test_the_graph_filter_is_gf_cf_at_the_exponents_of_its_paper(tasteful):
    csr = tasteful.csr.copy()
    csr.data[:] = 1
    user, item = (np.asarray(csr.sum(axis=axis)).ravel() for axis in (1, 0))
    normal = csr.toarray() / np.sqrt(np.outer(user, item))
    near = normal.T @ normal
    np.fill_diagonal(near, 0)
    low = np.linalg.svd(normal)[2][:8].T
    far = (low / np.sqrt(item)[:, None]) @ (low * np.sqrt(item)[:, None]).T
    ours = GraphFilter(
        width=8, neighbours=400, user_exponent=1, item_exponent=0.5, low_pass_user_exponent=0.5
    )
    found = ours.fit(csr).scores(np.arange(50), csr[:50])
    near, far = (csr[:50].toarray() @ part for part in (near, far))
    weight = np.linalg.lstsq(
        np.stack([near.ravel(), far.ravel()], axis=1), found.ravel(), rcond=None
    )[0]
    np.testing.assert_allclose(found, weight[0] * near + weight[1] * far, rtol=0.02, atol=0.02)


def test_item_cosine_is_that_of_scikit_learn_and_asymmetry_spares_the_popular(tasteful):
    from sklearn.metrics.pairwise import cosine_similarity

    def likeness(asymmetry):
        model = new_model("item_cosine", {"neighbours": 399, "asymmetry": asymmetry})
        return model.fit(tasteful.csr).item_filter.similarities(np.arange(400))

    columns = tasteful.csr.T.toarray().astype(float)
    cosine = cosine_similarity(columns)
    np.fill_diagonal(cosine, 0)
    np.testing.assert_allclose(likeness(0.5), cosine, atol=1e-5)
    norms = np.linalg.norm(columns, axis=1)
    spared = cosine * norms[None, :] / norms[:, None]
    np.testing.assert_allclose(likeness(1.0), spared, atol=1e-5)


def test_bm25_takes_nothing_off_popular_items_at_length_zero(rows):
    # All users have x; only b and c, who also have w, have y and z.
    table = rows(*[(user, "x") for user in "abcdef"], *[(u, i) for u in "bc" for i in "wyz"])
    matrix = InteractionMatrix.from_table(table)
    likeness = {
        length: new_model("item_bm25", {"length": length})
        .fit(matrix.csr)
        .item_filter.similarities(np.array([0]))[0]
        for length in (0.0, 1.0)
    }
    assert matrix.items.to_pylist() == ["w", "x", "y", "z"]
    assert likeness[0.0][1] == likeness[0.0][2]
    assert likeness[1.0][1] < likeness[1.0][2]


def test_bpr_offers_what_is_popular_to_someone_of_whom_nothing_is_known():
    random = np.random.default_rng(0)
    liked = random.random((400, 60)) < 0.6 / (1 + np.arange(60)) ** 0.7
    matrix = scipy.sparse.csr_matrix(liked, dtype=np.float32)
    stranger = scipy.sparse.csr_matrix((1, 60), dtype=np.float32)
    ids, _ = new_model("bpr").fit(matrix).recommend_new(stranger, 5)
    popular, _ = Popularity().fit(matrix).recommend_new(stranger, 8)
    assert set(ids[0]) <= set(popular[0])


TEXTS = ["red wine", "white wine", None, "Ünïcode 漢字", "漢字 wine", ""]


def test_content_serves_items_that_nobody_has(rows):
    matrix = InteractionMatrix.from_table(rows(("a", "0")), items=pa.array(list("012345")))
    ids, _ = new_model("content", texts=TEXTS).fit(matrix.csr).recommend_new(matrix.csr, 3)
    assert set(ids[0, :2]) == {1, 4}


def test_texts_that_do_not_match_the_items_are_refused(tasteful):
    with pytest.raises(ValueError, match="2 texts for 400 items"):
        new_model("content", texts=["a", "b"]).fit(tasteful.csr)
    with pytest.raises(ValueError, match="content reads texts of items, and there are none"):
        new_model("content")


def test_the_hybrid_serves_new_users_and_new_items(tasteful):
    # Items from 400 on have no users; their texts name the taste 3.
    csr = scipy.sparse.hstack([tasteful.csr, scipy.sparse.csr_matrix((1200, 4))]).tocsr()
    csr = csr.astype(np.float32)
    texts = [f"taste{int(i) % 8}" for i in tasteful.items.to_pylist()] + ["taste3"] * 4
    model = new_model("hybrid", {"content_weight": 1}, texts).fit(csr)
    stranger = scipy.sparse.csr_matrix((1, 404), dtype=np.float32)
    popular, _ = new_model("popularity_decayed").fit(csr).recommend_new(stranger, 5)
    assert model.recommend_new(stranger, 5)[0].tolist() == popular.tolist()
    ids, _ = model.recommend(np.arange(1200), csr, 10)
    assert share_of_own_taste(np.where(ids < 400, ids, 0), tasteful) > 0.5
    similar, _ = model.similar_items(np.array([400]), 4)
    assert (similar[0] >= 0).all()


@pytest.mark.parametrize("name", [*COLLABORATIVE, *FROM_TEXT])
def test_a_parameter_that_a_model_does_not_take_is_refused(name):
    with pytest.raises(ValueError, match=f"{name} does not take .*frobnicate"):
        new_model(name, {"frobnicate": 1}, ["text"])


def test_an_unknown_model_is_refused_with_the_names_there_are():
    with pytest.raises(ValueError, match=r"no model is called 'deep': popularity, .*hybrid"):
        new_model("deep")
