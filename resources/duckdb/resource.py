"""DuckDB as a Dagster resource: the settings of the engine.

Belongs here: the settings, their defaults, and the environment variables that override them. What
is run with them belongs to `social_assets.transform`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import duckdb
from dagster_duckdb import DuckDBResource
from pydantic import Field

from resources.settings.home import Home
from resources.settings.variables import ENGINE_MEMORY, ENGINE_SPILL, ENGINE_THREADS

_VARIABLES: Mapping[str, str] = MappingProxyType(
    {
        "memory_limit": ENGINE_MEMORY,
        "threads": ENGINE_THREADS,
        "temp_directory": ENGINE_SPILL,
    }
)
_DEFAULTS: Mapping[str, str | int | bool] = MappingProxyType(
    {"memory_limit": "640MB", "threads": 2, "preserve_insertion_order": False}
)


class EngineResource(DuckDBResource):
    """DuckDB in memory, within a bound of memory and threads; above it, it spills into the home.

    `connection_config` takes any setting of DuckDB, as in the run config
    `resources: {duckdb: {config: {connection_config: {memory_limit: 2GB}}}}`. The environment
    variables of the engine override it.
    """

    database: str = ":memory:"
    connection_config: dict[str, Any] = Field(
        default={}, description="Settings of DuckDB; those not named have the engine's defaults"
    )

    def settings(self) -> dict[str, Any]:
        """All settings. Raises ValueError if a variable of the environment is no number."""
        spill = {"temp_directory": str(Home.from_environment().path / "spill")}
        given = {name: os.environ.get(variable) for name, variable in _VARIABLES.items()}
        overriding = {name: text for name, text in given.items() if text}
        found = {**_DEFAULTS, **spill, **self.connection_config, **overriding}
        return {**found, "threads": _threads(str(found["threads"]))}

    @contextmanager
    def get_connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A database of its own for the block, with these settings."""
        own = DuckDBResource(database=self.database, connection_config=self.settings())
        with own.get_connection() as connection:
            yield connection


def _threads(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"engine threads ({ENGINE_THREADS}) {text!r}: write a number from 1")
    return int(text)
