"""Leading singular vectors of a sparse matrix: the low frequencies of a graph.

Source: Halko, Martinsson, Tropp, "Finding structure with randomness" (SIAM Review 2011), algorithms
4.4 and 5.1, with orthonormalisation by Cholesky. scikit-learn's `randomized_svd` is the same method
and the tests compare with it; its QR and its SVD of the thin matrix take four times as long for
1,000 vectors of 30,000 x 41,000, which is why it is not called here.
"""

from typing import Any

import numpy as np

from recsys.scoring.ranking import Float32, Float64

_OVERSAMPLED = 32
_POWER_ITERATIONS = 2
# A share of the largest eigenvalue: smaller eigenvalues are noise of float32.
_NOISE = 1e-6


def right_singular_vectors(matrix: Any, width: int, seed: int = 0) -> Float32:
    """The `width` leading right singular vectors of a CSR float32[rows, columns], as columns.

    float32[columns, k]; k is `width`, or fewer where the rank is. The same seed gives the same
    bytes. Exact where the matrix is small, else accurate to some digits.
    """
    rows, columns = matrix.shape
    sampled = min(width + _OVERSAMPLED, rows, columns)
    if sampled == columns:
        return _leading((matrix.T @ matrix).toarray(), width)[0]
    transposed = matrix.T.tocsr()
    start = np.random.default_rng(seed).standard_normal((columns, sampled), dtype=np.float32)
    basis = matrix @ start
    for _ in range(_POWER_ITERATIONS):
        basis = matrix @ _orthonormal(transposed @ _orthonormal(basis))
    projected = transposed @ _orthonormal(basis)
    turned, values = _leading(projected.T @ projected, width)
    vectors: Float32 = projected @ (turned / np.sqrt(values)).astype(np.float32)
    return vectors


def _leading(gram: Float32, width: int) -> tuple[Float32, Float64]:
    """Eigenvectors as columns, and eigenvalues in falling order, without those that are noise."""
    values, vectors = np.linalg.eigh(gram.astype(np.float64))
    values, vectors = values[::-1][:width], vectors[:, ::-1][:, :width]
    real = values > _NOISE * max(values[0], np.finfo(np.float64).tiny)
    # A vector and its negative are the same; the sign is fixed for equal bytes.
    signs = np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])])
    return (vectors * signs)[:, real].astype(np.float32), values[real]


def _orthonormal(columns: Float32) -> Float32:
    """An orthonormal basis of what the columns span, by Cholesky of their Gram matrix."""
    gram = (columns.T @ columns).astype(np.float64)
    # Directions of length zero, as in a matrix of lower rank, need a value on the diagonal.
    gram[np.diag_indices_from(gram)] += _NOISE * max(np.trace(gram) / len(gram), 1e-30)
    inverse = np.linalg.inv(np.linalg.cholesky(gram))
    basis: Float32 = columns @ inverse.T.astype(np.float32)
    return basis
