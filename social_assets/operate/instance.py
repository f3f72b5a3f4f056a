"""The Dagster instance of a home: storage of runs, events and check results."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from dagster import DagsterInstance

from resources.event_log import BATCH_SIZE, BATCH_SIZE_VARIABLE
from resources.home import Home

_PACKAGE = Path(__file__).resolve().parents[1]
_PROFILES = (_PACKAGE / "dagster.yaml", _PACKAGE.parent / "docker" / "dagster.yaml")
"""The local profile: where a wheel puts it, and where the checkout has it."""


def use_home(home: Home) -> None:
    """Make this process, and those it starts, work on a home; Dagster's folder is made."""
    os.environ["SOCIAL_ASSETS_HOME"] = str(home.path)
    os.environ["DAGSTER_HOME"] = str(home.dagster)
    os.environ.setdefault(BATCH_SIZE_VARIABLE, str(BATCH_SIZE))
    home.dagster.mkdir(parents=True, exist_ok=True)
    profile = home.dagster / "dagster.yaml"
    if not profile.exists():
        shutil.copyfile(next(p for p in _PROFILES if p.exists()), profile)


def open_instance(home: Home) -> DagsterInstance:
    """The instance that the UI of this home shows."""
    use_home(home)
    return DagsterInstance.get()
