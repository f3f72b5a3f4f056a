"""ClickHouse's JDBC driver with the default settings of DBeaver and Metabase."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from uuid import uuid4

import pytest

from resources.embedded_clickhouse.lifecycle import Endpoint
from resources.kafka.jars import ensure_jars, java

pytestmark = pytest.mark.java
_JARS = Path(tempfile.gettempdir()) / f"social-assets-jdbc-jars-{os.getuid()}"
_HERE = Path(__file__).parent / "java"


@pytest.fixture(scope="module")
def jars() -> Path:
    return ensure_jars(_JARS, _HERE / "pom.xml")


@pytest.mark.parametrize("driver", ["Driver", "DriverV1"])
@pytest.mark.parametrize("properties", [[], ["decompress=true"]], ids=["default", "decompress"])
def test_the_jdbc_driver_queries_inserts_and_lists(
    endpoint: Endpoint, jars: Path, driver: str, properties: list[str]
) -> None:
    program = subprocess.run(
        [
            *(java(), "-Xmx512m", "-cp", f"{jars}/*", str(_HERE / "Jdbc.java")),
            f"com.clickhouse.jdbc.{driver}",
            endpoint.url.replace("http://", "jdbc:clickhouse://") + "/default",
            *(endpoint.password, f"jdbc_{uuid4().hex[:8]}", *properties),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert program.stdout.splitlines()[1:] == [
        "prepared 1",
        "selected 5 2026-01-02",
        "batch 20000",
        "rows 20002 20002 328901",
        "large 125002638890",
        "failing true",
        "table true",
        "columns 4",
    ], program.stderr
