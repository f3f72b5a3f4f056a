"""The estimates of memory before a model is fitted."""

import os

import numpy as np
import pytest
import scipy.sparse

from recsys.memory import free_bytes, shared_cells


def test_free_memory_is_what_a_fit_could_take():
    page = os.sysconf("SC_PAGE_SIZE")
    assert os.sysconf("SC_AVPHYS_PAGES") * page / 2 < free_bytes()
    assert free_bytes() <= os.sysconf("SC_PHYS_PAGES") * page


def test_what_items_share_is_estimated_from_some_of_them(tasteful):
    shared = (tasteful.csr.T @ tasteful.csr).nnz
    assert shared_cells(tasteful.csr) == shared
    users, items = np.random.default_rng(1).integers(((3_000,), (20_000,)), size=(2, 60_000))
    random = scipy.sparse.csr_matrix((np.ones(60_000, np.float32), (users, items)))
    assert shared_cells(random) == pytest.approx((random.T @ random).nnz, rel=0.1)
