"""A fit gives the same bytes whatever number of threads BLAS would use by itself."""

import os
import subprocess
import sys

import pytest

FIT = """
import hashlib, sys
import numpy as np, scipy.sparse
from recsys.models.catalog import new_model
matrix = scipy.sparse.random(3000, 400, 0.05, "csr", np.float32, random_state=1)
arrays = new_model(sys.argv[1]).fit(matrix).scorer.arrays().values()
print(hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest())
"""


@pytest.mark.endurance
@pytest.mark.parametrize("name", ["ease", "graph_filter"])
def test_the_bytes_of_a_fit_do_not_depend_on_the_threads_of_blas(name):
    digests = {
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", FIT, name],
            env={**os.environ, "OPENBLAS_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2", "4")
    }
    assert len(digests) == 1
