"""Checks before a fit whether there is enough memory.

Belongs here: the free memory, the memory of a matrix's products, and the refusal. What a model
needs is its own `bytes_needed`.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np

_MEMINFO = Path("/proc/meminfo")
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
BYTES_A_NEIGHBOUR = 24
"""Bytes of one neighbour in a list: an index, a value of float64, and a copy of both."""
_SAMPLED_ITEMS = 500
_GIB = 2**30


class TooLargeError(MemoryError):
    """A model needs more memory than it may use; raised before it allocates memory."""


def free_bytes() -> int:
    """The free memory of the machine, including caches; at most the limit of the container."""
    if not _MEMINFO.exists():
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    lines = (line.split() for line in _MEMINFO.read_text().splitlines())
    free = next(int(words[1]) * 1024 for words in lines if words[0] == "MemAvailable:")
    limit = _CGROUP_LIMIT.read_text().strip() if _CGROUP_LIMIT.exists() else "max"
    return free if limit == "max" else min(free, int(limit))


def decline_if_too_large(
    model: str, shape: tuple[int, int], needed: float, allowed_gib: float | None = None
) -> None:
    """Raise TooLargeError if `needed` bytes are more than `allowed_gib`.

    The default of `allowed_gib` is nine tenths of the free memory.
    """
    allowed = 0.9 * free_bytes() if allowed_gib is None else allowed_gib * _GIB
    if needed > allowed:
        users, items = shape
        raise TooLargeError(
            f"{model} of {users:,} users x {items:,} items needs {needed / _GIB:.1f} GiB and may"
            f" use {allowed / _GIB:.1f}: shorten the window, take a larger machine, or a model"
            " that needs less, as the popularity and the item neighbours do"
        )


def shared_cells(user_items: Any) -> int:
    """Estimates the number of item pairs that share a user: the stored entries of R'R.

    Counts the rows of some hundred items, which are spread evenly over the matrix.
    """
    items = user_items.shape[1]
    if items == 0:
        return 0
    sample = np.linspace(0, items - 1, min(items, _SAMPLED_ITEMS)).astype(np.int64)
    of_sample = user_items.tocsc()[:, np.unique(sample)]
    counted = (of_sample.T.tocsr() @ user_items).nnz
    return int(counted * items / of_sample.shape[1])
