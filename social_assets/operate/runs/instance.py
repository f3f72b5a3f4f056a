"""The Dagster instance of an installation: storage of runs, events and check results.

On a laptop it is in the home. A deployed installation uses the instance of its daemon, in
DAGSTER_HOME.
"""

from __future__ import annotations

import os
from pathlib import Path

from dagster import DagsterInstance

from resources.dagster.event_log import BATCH_SIZE, BATCH_SIZE_VARIABLE
from resources.settings.environments import VARIABLE, EnvironmentSettingsError, current
from resources.settings.home import Home
from resources.settings.private_home import make_private
from social_assets.operate.runs.dagster_profile import update_profile

_DAGSTER_HOME = "DAGSTER_HOME"


def use_home(home: Home) -> None:
    """Make this process, and those that it starts, use a home; creates Dagster's folder.

    Raises EnvironmentSettingsError in a deployed environment that does not name Dagster's folder.
    """
    os.environ["SOCIAL_ASSETS_HOME"] = str(home.path)
    os.environ.setdefault(BATCH_SIZE_VARIABLE, str(BATCH_SIZE))
    if current().is_deployed:
        _require_profile()
        return
    os.environ[_DAGSTER_HOME] = str(home.dagster)
    make_private(home)
    home.dagster.mkdir(parents=True, exist_ok=True)
    update_profile(home)


def _require_profile() -> None:
    """Commands must record runs in the daemon's instance: in a home's own one, nobody would see
    them.
    """
    folder = os.environ.get(_DAGSTER_HOME)
    if not folder or not (Path(folder) / "dagster.yaml").exists():
        raise EnvironmentSettingsError(
            f"{VARIABLE} is {current()}, whose runs are kept where {_DAGSTER_HOME} says; set it to "
            f"the folder with the installation's dagster.yaml (it is {folder or 'not set'})"
        )


def open_instance(home: Home) -> DagsterInstance:
    """The instance that the UI of this home shows."""
    use_home(home)
    return DagsterInstance.get()
