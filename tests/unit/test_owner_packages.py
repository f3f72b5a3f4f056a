"""The eleven packages that the project's owner named: each is pinned with hashes, and imported."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
ROOMS = ("social_assets", "resources", "recsys", "sensors")
IMPORTED_AS = {
    "dagster": "dagster",
    "dagster-webserver": "dagster_webserver",
    "dagster-pyspark": "dagster_pyspark",
    "dagster-duckdb": "dagster_duckdb",
    "dagster-dbt": "dagster_dbt",
    "dbt-clickhouse": "dbt.adapters.clickhouse",
    "clickhouse-connect": "clickhouse_connect",
    "kafka-python": "kafka",
    "pandera": "pandera",
    "scikit-learn": "sklearn",
    "implicit": "implicit",
}


@pytest.fixture(scope="module")
def code() -> str:
    files = (file for room in ROOMS for file in (CHECKOUT / room).rglob("*.py"))
    return "\n".join(file.read_text() for file in files)


@pytest.mark.parametrize("package", IMPORTED_AS)
def test_a_package_has_an_upper_bound_and_is_pinned_with_hashes(package: str) -> None:
    declared = (CHECKOUT / "pyproject.toml").read_text()
    assert re.search(rf'"{package}(\[\w+\])?>=[\d.]+,<[\d.]+"', declared)
    files = ("requirements.txt", "requirements-spark.txt")
    pinned = "".join((CHECKOUT / file).read_text() for file in files)
    assert re.search(rf"^{package}==[\d.]+ \\\n    --hash=sha256:", pinned, re.MULTILINE)


@pytest.mark.parametrize("package", IMPORTED_AS)
def test_a_package_is_imported_by_the_code(package: str, code: str) -> None:
    module = re.escape(IMPORTED_AS[package])
    assert re.search(rf"^\s*(from|import) {module}(\.\w+)*( |$)", code, re.MULTILINE)
