"""The top k of a row equal those of a simple sort by falling value, then column."""

import numpy as np
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recsys.models.numerics import top_k
from recsys.models.numerics.top_k import top_k_of_rows

# Few distinct values, so that ties are everywhere; NaN marks what a row does not have.
ROWS = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 6), st.integers(1, 9)),
    elements=st.sampled_from([np.nan, -2.0, -0.5, -0.0, 0.0, 0.5, 1.0]),
)


def sparse(rows):
    row, column = np.nonzero(~np.isnan(rows))
    indptr = np.concatenate(([0], np.cumsum(np.bincount(row, minlength=len(rows)))))
    return scipy.sparse.csr_matrix((rows[row, column], column, indptr), shape=rows.shape)


def plainly_kept(rows, kept):
    for values in rows:
        there = [column for column in range(len(values)) if not np.isnan(values[column])]
        yield sorted(sorted(there, key=lambda column: (-values[column], column))[:kept])


@given(rows=ROWS, kept=st.integers(1, 10))
def test_a_row_keeps_its_largest_and_of_equals_those_of_lower_columns(rows, kept):
    found = top_k_of_rows(sparse(rows), kept)
    columns = [part.tolist() for part in np.split(found.indices, found.indptr[1:-1])]
    assert columns == list(plainly_kept(rows, kept))
    np.testing.assert_array_equal(
        found.data, [rows[r, c] for r, of in enumerate(columns) for c in of]
    )


def test_rows_taken_in_blocks_keep_the_same(monkeypatch):
    matrix = scipy.sparse.random(50, 40, density=0.3, format="csr", dtype=np.float32, rng=0)
    whole = top_k_of_rows(matrix.copy(), 5)
    monkeypatch.setattr(top_k, "_SORTED_AT_ONCE", 16)
    in_blocks = top_k_of_rows(matrix.copy(), 5)
    assert (whole != in_blocks).nnz == 0
