"""The example's table in a PostgreSQL of its own, and a worker beside the broker of the tests."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.clickhouse.resource import URL_VARIABLE
from resources.embedded_clickhouse.lifecycle import stop
from resources.kafka import broker as kafka_broker
from resources.kafka.settings import BOOTSTRAP_SERVERS
from resources.kafka_connect import worker
from resources.machine.ports import free_port
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from resources.settings.variables import CAPTURE_URL
from social_assets.contracts import registry
from tests.integration.kafka.cdc.captured_table import CREATE, EXAMPLE, CapturedTable
from tests.integration.kafka.conftest import JARS
from tests.postgres_server import running_postgres

CONNECT_JARS = Path(tempfile.gettempdir()) / f"social-assets-connect-jars-{os.getuid()}"


@pytest.fixture
def orders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[CapturedTable]:
    """The table, empty and not captured yet, in a home with a broker."""
    home = Home(tmp_path / "home")
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(home.path))
    monkeypatch.setenv(registry.EXTRA_CONTRACTS, str(EXAMPLE))
    monkeypatch.setenv(kafka_broker.PORT_VARIABLE, str(free_port()))
    for variable in (URL_VARIABLE, BOOTSTRAP_SERVERS):
        monkeypatch.delenv(variable, raising=False)
    home.kafka_connect.mkdir(parents=True)
    CONNECT_JARS.mkdir(exist_ok=True)
    (home.kafka_connect / "jars").symlink_to(CONNECT_JARS)
    registry.registered.cache_clear()
    request.addfinalizer(registry.registered.cache_clear)
    with running_postgres() as server:
        monkeypatch.setenv(CAPTURE_URL, server.url)
        table = CapturedTable(home, server)
        table.execute(CREATE)
        table.execute("ALTER SYSTEM SET max_slot_wal_keep_size = '1GB'")
        table.execute("SELECT pg_reload_conf()")
        kafka_broker.start(home, JARS)
        try:
            yield table
        finally:
            worker.stop(home)
            kafka_broker.stop(home)
            stop(home)
