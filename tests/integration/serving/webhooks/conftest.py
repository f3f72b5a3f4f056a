"""Fixtures of the receiver's tests: stores of streams, as those of the pipeline."""

from __future__ import annotations

from tests.integration.pipeline.conftest import clickhouse, stream

__all__ = ["clickhouse", "stream"]
