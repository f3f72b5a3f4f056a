"""What the image runs writes to the volume of the home and to /tmp, and nowhere else.

No container runs here: each process has the file systems of one, in a mount namespace.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from resources.machine.ports import free_port
from tests.integration.production.read_only import STATE, ReadOnly, is_possible
from tests.kubernetes_tools.waiting import until

pytestmark = pytest.mark.endurance

DOCKER = Path(__file__).parents[3] / "docker"
TOKEN = "token-of-the-tests-of-production"
POSTS = "post_id,user_id\n1,2\n"


@pytest.fixture
def machine(postgres_database: str, tmp_path: Path) -> ReadOnly:
    """A machine whose processes have the image's settings and file systems."""
    if not is_possible():
        pytest.skip("this machine lets no process have a mount namespace")
    home, temporary, dagster = (tmp_path / each for each in ("home", "tmp", "dagster"))
    for folder in (home, temporary, dagster):
        folder.mkdir()
    return ReadOnly(home, temporary, {})
