"""Which engine rebuilds days: DuckDB in this process, or Spark, whose executors run DuckDB.

Belongs here: reading the setting. What is done differently belongs to `social_assets.pipeline`.
"""

from __future__ import annotations

import os
from enum import StrEnum

from resources.settings.variables import ENGINE


class RebuildEngine(StrEnum):
    """Where records are validated when days are rebuilt."""

    DUCKDB = "duckdb"
    SPARK = "spark"


class EngineError(ValueError):
    """The setting names no engine."""


def engine() -> RebuildEngine:
    """The engine that the environment names. Raises EngineError."""
    text = os.environ.get(ENGINE) or RebuildEngine.DUCKDB
    try:
        return RebuildEngine(text)
    except ValueError:
        raise EngineError(f"{ENGINE} is {text!r}; it must be duckdb or spark") from None
