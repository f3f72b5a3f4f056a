"""SQL against the warehouse, for the command line."""

from __future__ import annotations

from collections.abc import Sequence

from resources.clickhouse import ClickHouseResource


def run_query(query: str) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
    """Column names and rows of a query. Raises clickhouse-connect's errors."""
    with ClickHouseResource().client("social-assets sql") as client:
        result = client.query(query)
        return result.column_names, result.result_rows
