"""Fixtures of all tests: a home with a deployed warehouse, a small disk.

A test session deploys the warehouse once and copies its folders into each home: a deployment takes
a dbt process that builds some 80 models, and a copy takes a moment. The first test that uses the
fixture shows that the deployment works.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings

from resources.clickhouse.resource import URL_VARIABLE, ClickHouseResource
from resources.embedded_clickhouse.lifecycle import ensure_running, stop
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.contracts.registry import contracts
from social_assets.warehouse.dbt.deployment import deploy_warehouse
from social_assets.warehouse.dbt.project import exclusive
from social_assets.warehouse.loader import Loader
from tests.postgres_server import postgres, postgres_database
from tests.redis_server import redis
from tests.s3_server import s3, serve_lakes
from tests.small_disk import MakeSmallDisk, SmallDisk, mounted

__all__ = ["postgres", "postgres_database", "redis", "s3"]  # fixtures of modules of their own

DeployedHome = Callable[[str], Home]

TEMPLATE = "DEPLOYED_HOME_TEMPLATE"
"""Environment variable: a folder in which several runs of pytest share the home that is copied."""


FIRST = (
    "tests/e2e/graph/test_files_to_rollups.py",
    "tests/integration/transform",
    "tests/unit/demo",
)
"""Files and folders that run first. The first one deploys the warehouse that others copy; meanwhile
the other workers run tests that need none.
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the files by `FIRST`, all others after them as they are."""
    rank = {name: number for number, name in enumerate(FIRST)}

    def place(item: pytest.Item) -> int:
        return next((rank[name] for name in FIRST if item.nodeid.startswith(name)), len(FIRST))

    items.sort(key=place)


def pytest_configure(config: pytest.Config) -> None:
    """Set what all tests of a process share: a first date before all records, no rest of files."""
    os.environ["SOCIAL_ASSETS_FIRST_DATE"] = "2013-01-01"
    os.environ["SOCIAL_ASSETS_LANDING_REST_SECONDS"] = "0"
    # The time of an example is no sign of a fault on a machine with other work.
    settings.register_profile("no_deadline", deadline=None)
    settings.load_profile("no_deadline")
    serve_lakes(config)


@pytest.fixture(scope="session")
def deployed_home(tmp_path_factory: pytest.TempPathFactory) -> DeployedHome:
    """Creates a home of the given name whose ClickHouse, not yet started, has all tables."""

    def make(name: str) -> Home:
        # A name that needs quoting in URLs, SQL, XML and commands.
        home = tmp_path_factory.mktemp(name) / "ho me% ü#'x,z=1*{a}&$"
        shutil.copytree(_template(tmp_path_factory), home, symlinks=True, dirs_exist_ok=True)
        return Home(home)

    return make


def _template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home that is copied: one for all workers of a session."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = Path(os.environ.get(TEMPLATE) or shared / "template") / "home"
    folder.parent.mkdir(exist_ok=True)
    with exclusive(folder.parent / "lock"):
        if not (folder.parent / "built").exists():
            _deploy(Home(folder))
            (folder.parent / "built").touch()
    return folder


def _deploy(home: Home) -> None:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(ENVIRONMENT_VARIABLE, str(home.path))
        environment.delenv(URL_VARIABLE, raising=False)
        try:
            deploy_warehouse(ensure_running(home), home)
            for stream in contracts():
                Loader(ClickHouseResource(), stream).prepare()
        finally:
            stop(home)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[MakeSmallDisk]:
    """Mounts small file systems that a test fills; skips the test without permission to mount."""
    with ExitStack() as disks:
        count = 0

        def make(megabytes: int, at: Path | None = None) -> SmallDisk:
            nonlocal count
            count += 1
            try:
                return disks.enter_context(mounted(at or tmp_path / f"disk{count}", megabytes))
            except PermissionError as error:
                pytest.skip(f"needs root to mount a file system: {error.strerror}")

        yield make
