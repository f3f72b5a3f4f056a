"""Users who walk a circle of items, of whom no matrix tells what comes next; and consumers."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

import recsys
from recsys import InteractionMatrix, publish
from recsys.evaluation.next_item import leave_last_out

ITEMS = 30


@pytest.fixture(scope="module")
def walks(rows):
    """300 users who walk a circle of items from some place, six steps, all in equal numbers."""
    random = np.random.default_rng(3)
    starts = random.integers(ITEMS, size=300)
    steps = [
        (f"u{user:03}", f"i{(start + step) % ITEMS:02}", 1.0, step)
        for user, start in enumerate(starts)
        for step in range(6)
    ]
    return InteractionMatrix.from_table(rows(*steps))


@pytest.fixture(scope="module")
def split(walks):
    return leave_last_out(walks)


WITHOUT_TRAINERS = """
import sys
for name in ("jax", "optax", "scipy", "implicit", "sklearn", "dagster"):
    sys.modules[name] = None
import recsys
model = recsys.load(sys.argv[1])
"""


@pytest.fixture
def published(tmp_path):
    """Publishes a fitted model, and returns its folder."""

    def published(model, matrix):
        days = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 15, tzinfo=UTC)
        told = {"metrics": {}, "data_window": days, "watermarks": {}, "code_version": "abc1234"}
        return publish(model, matrix, tmp_path, version="1", **told)

    return published


@pytest.fixture
def consumed() -> Callable[[Path, str], list[str]]:
    """What lines of code print of the published `model`, where NumPy and pyarrow are alone."""

    def consumed(folder: Path, code: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", WITHOUT_TRAINERS + code, str(folder)],
            cwd=Path(recsys.__file__).parent.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    return consumed
