"""Which engine validates records: DuckDB in this process, or Spark, whose executors run DuckDB.

Belongs here: reading the settings. What is done differently belongs to `social_assets.pipeline`.
"""

from __future__ import annotations

import os
from enum import StrEnum

from resources.settings.variables import ENGINE, ENGINE_SPARK_BYTES

SPARK_BYTES = 1 << 30
"""A load of fewer bytes is validated by DuckDB, also where the engine is Spark: the start of Spark
takes half a minute."""


class TransformEngine(StrEnum):
    """Where records are validated."""

    DUCKDB = "duckdb"
    SPARK = "spark"


class EngineError(ValueError):
    """A setting of the engine has no meaning."""


def engine() -> TransformEngine:
    """The engine that the environment names. Raises EngineError."""
    text = os.environ.get(ENGINE) or TransformEngine.DUCKDB
    try:
        return TransformEngine(text)
    except ValueError:
        raise EngineError(f"{ENGINE} is {text!r}; it must be duckdb or spark") from None


def engine_of_load(size_bytes: int) -> TransformEngine:
    """The engine for a load of so many bytes. Raises EngineError."""
    chosen = engine()
    return chosen if size_bytes >= _spark_bytes() else TransformEngine.DUCKDB


def _spark_bytes() -> int:
    text = os.environ.get(ENGINE_SPARK_BYTES) or str(SPARK_BYTES)
    if not text.isdecimal():
        raise EngineError(f"{ENGINE_SPARK_BYTES} is {text!r}; write a number of bytes")
    return int(text)
