"""Few modules use private parts of libraries, and each names the version it was checked with."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import pytest

from resources.dagster import private
from social_assets.contracts import pandera_private

CHECKOUT = Path(__file__).resolve().parents[2]
ROOMS = ("social_assets", "resources", "sensors", "recsys")

MODULES = {
    "dagster": (
        r"^\s*(from|import) dagster\._",
        {
            "resources/dagster/private.py",
            "resources/dagster/event_log.py",
            "resources/dagster/cli_run_lock.py",
            "resources/dagster/default_console.py",
            "resources/dagster/sqlite_storage.py",
            "social_assets/operate/ui/webserver.py",
        },
    ),
    "pandera": (
        r"^\s*(from|import) pandera\.(api|backends)",
        {"social_assets/contracts/pandera_private.py"},
    ),
    "chdb": (
        r"^\s*(from chdb import _|from chdb\._|import chdb\._)",
        {"resources/embedded_clickhouse/query/engine.py"},
    ),
    "dbt": (r"^\s*from dbt\.parser", {"social_assets/warehouse/dbt/process.py"}),
    "dagster_dbt": (
        r"^\s*from dagster_dbt\.",
        {"social_assets/defs/warehouse/dbt_resource.py"},
    ),
}


@pytest.mark.parametrize("library", MODULES)
def test_no_other_module_imports_a_private_part(library: str) -> None:
    pattern, allowed = MODULES[library]
    found = {
        str(path.relative_to(CHECKOUT))
        for room in ROOMS
        for path in (CHECKOUT / room).rglob("*.py")
        if re.search(pattern, path.read_text(), re.MULTILINE)
    }
    assert found == allowed


def test_the_installed_versions_are_those_that_were_checked() -> None:
    upgraded = (
        "a library was upgraded: compare the private parts that we use with its sources, run all"
        " tests, then set CHECKED_AGAINST"
    )
    assert version("dagster") == private.CHECKED_AGAINST, upgraded
    assert version("pandera").startswith(pandera_private.CHECKED_AGAINST), upgraded
    assert version("chdb").startswith("4.4."), upgraded
    assert version("dagster-dbt").startswith("0.29."), upgraded
    assert version("dbt-core").startswith("1.11."), upgraded
