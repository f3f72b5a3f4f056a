"""Compiles expressions to queries of DuckDB.

Belongs here: all compiling, its options, and when a query of an earlier process serves.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import ibis
import ibis.expr.operations as ops

from social_assets.transform.queries.kept_queries import keep_query, kept_query
from social_assets.transform.queries.query_key import query_key


# About forty queries a process, and more for each spelling. The largest keeps 1.3 MB of
# expressions.
@lru_cache(maxsize=128)
def compiled_query(operation: ops.Node, folder: Path | None) -> str:
    """The query of an expression; from the folder if an earlier process compiled it.

    A folder that cannot be read or written, or whose files are damaged, costs only the compiling.
    """
    # Ibis would take two thirds of the time for merging selects, which DuckDB does itself. The
    # setting is the process's: nothing else compiles so large expressions.
    ibis.options.sql.fuse_selects = False
    key = None if folder is None else query_key(operation)
    if folder is None or key is None:
        return _compiled(operation)
    query = kept_query(folder, key)
    if query is None:
        query = _compiled(operation)
        keep_query(folder, key, query)
    return query


def _compiled(operation: ops.Node) -> str:
    # The first use of `ibis.duckdb` imports the compilers of all dialects.
    return str(ibis.duckdb.compile(operation.to_expr()))
