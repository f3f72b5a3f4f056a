"""The number of BLAS threads of a fit, on which the order of its sums depends.

Belongs here: only that. A sum of float32 in another order has other last digits, so that a fit with
as many threads as a machine has cores would give other bytes on another machine.
"""

from contextlib import AbstractContextManager

# More threads would be faster on larger machines; two are what the smallest supported machine has.
_THREADS = 2


def fixed_blas_threads() -> AbstractContextManager[object]:
    """Within it, BLAS uses two threads, whatever the cores and OPENBLAS_NUM_THREADS.

    Two machines with the same build of NumPy and SciPy and the same kind of processor then give
    the same bytes.
    """
    # Here and not above: a consumer that reads a model has neither. Only libraries that are loaded
    # are limited, and SciPy has a BLAS of its own, which scipy.linalg loads.
    import scipy.linalg  # noqa: F401
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(limits=_THREADS, user_api="blas")
    return limits
