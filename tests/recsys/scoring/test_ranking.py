"""The ranking equals that of a simple sort."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recsys.scoring import ranking
from recsys.scoring.ranking import ItemLists, hide, rank, rank_in_batches

# Few distinct values, so that ties are everywhere, and items that are taken out; more columns than
# a ranking of two or three looks at in groups, and a rest that fills no group.
SCORES = hnp.arrays(
    np.float32,
    st.tuples(st.integers(0, 5), st.integers(0, 80)),
    elements=st.sampled_from([-np.inf, -1.5, 0.0, 0.25, 2.0]),
)


def plain_rank(scores, n):
    ids = np.full((len(scores), n), -1)
    for row, values in enumerate(scores):
        order = sorted(range(len(values)), key=lambda item: (-values[item], item))
        ranked = [item for item in order if values[item] > -np.inf][:n]
        ids[row, : len(ranked)] = ranked
    return ids


@given(scores=SCORES, n=st.integers(1, 4) | st.integers(5, 90))
def test_ranks_are_those_of_a_plain_sort_by_score_then_index(scores, n):
    ids, best = rank(scores, n)
    np.testing.assert_array_equal(ids, plain_rank(scores, n))
    assert (ids.dtype, best.dtype) == (np.int32, np.float32)
    row, place = np.nonzero(ids >= 0)
    np.testing.assert_array_equal(best[row, place], scores[row, ids[row, place]])
    assert np.isneginf(best[ids < 0]).all()


@given(
    rows=st.lists(st.lists(st.integers(0, 5), unique=True).map(sorted), min_size=1, max_size=6),
    taken=st.lists(st.integers(0, 5), max_size=8),
)
def test_taking_rows_of_item_lists_is_taking_rows_of_lists(rows, taken):
    taken = [row % len(rows) for row in taken]
    lists = ItemLists(
        np.cumsum([0, *map(len, rows)]), np.array([i for row in rows for i in row], dtype=np.int32)
    ).take(np.array(taken, dtype=np.int64))
    found = [row.tolist() for row in np.split(lists.indices, lists.indptr[1:-1])]
    assert found == ([rows[row] for row in taken] or [[]])


def test_hidden_items_are_not_ranked():
    scores = np.array([[3, 2, 1], [3, 2, 1]], dtype=np.float32)
    hide(scores, ItemLists(np.array([0, 2, 2]), np.array([0, 2], dtype=np.int32)))
    ids, _ = rank(scores, 3)
    assert ids.tolist() == [[1, -1, -1], [0, 1, 2]]


def test_batches_change_nothing(monkeypatch):
    scores = np.random.default_rng(0).integers(0, 9, (50, 7)).astype(np.float32)
    hidden = ItemLists(np.arange(51), (np.arange(50) % 7).astype(np.int32))
    whole = rank_in_batches(lambda rows: scores[rows].copy(), hidden, 7, 4)
    monkeypatch.setattr(ranking, "MAX_CELLS", 20)
    pieces = rank_in_batches(lambda rows: scores[rows].copy(), hidden, 7, 4)
    for one, other in zip(whole, pieces, strict=True):
        np.testing.assert_array_equal(one, other)
