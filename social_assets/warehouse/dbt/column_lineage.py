"""Column lineage of the warehouse, read from the SQL that dbt compiled.

For a table that views feed, it reads the SELECTs of those views; for one that dbt alone fills, its
own. The daily states of a dimension are skipped, so that the dimension's columns lead to the
streams that they come from. The other direction is here too: what is made of a column.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

Columns = dict[str, list[tuple[str, str]]]
"""Column of a relation -> the relations and columns that it is made of."""

Origin = tuple[str, str]
"""A relation and a column of it."""

_STATES_SUFFIX = "_daily"
_COMMENT = re.compile("--.*")


def column_lineage(manifest: Mapping[str, Any]) -> dict[str, Columns]:
    """The lineage of every table and view of the project, by qualified name."""
    nodes = [n for n in manifest["nodes"].values() if n["resource_type"] == "model"]
    found: dict[str, Columns] = {}
    for node in nodes:
        if node["config"]["materialized"] == "materialized_view":
            _add(found.setdefault(_target(node, manifest), {}), _columns(node["compiled_code"]))
    for node in nodes:
        if node["config"]["materialized"] == "daily_partitions" and _name(node) not in found:
            found[_name(node)] = _columns(node["compiled_code"])
    for node in nodes:
        if node["config"]["materialized"] == "view":
            found[_name(node)] = _through_states(
                _name(node), _columns(node["compiled_code"]), found
            )
    return found


def tables_that_name(manifest: Mapping[str, Any], origin: Origin) -> list[str]:
    """The tables and views whose SELECT reads a relation and names a column of it.

    Names are compared, so that a column of this name of another relation in the same SELECT counts.
    """
    relation, column = origin
    database, name = relation.split(".")
    read = re.compile(rf"`?\b{re.escape(database)}`?\.`?{re.escape(name)}\b")
    named = re.compile(rf"\b{re.escape(column)}\b")
    return sorted(
        {table for table, sql in _selects(manifest) if read.search(sql) and named.search(sql)}
    )


def made_of(
    manifest: Mapping[str, Any], lineage: Mapping[str, Columns], origin: Origin
) -> set[Origin]:
    """The columns of tables and views that are made of a column, directly or through others.

    A SELECT that names the column only in a condition, a join or a group decides by it which rows
    there are: then all columns of its table are made of it.
    """
    readers: defaultdict[Origin, set[Origin]] = defaultdict(set)
    for table, columns in lineage.items():
        for column, origins in columns.items():
            for relation, source in origins:
                readers[relation, source].add((table, column))
    found: set[Origin] = set()
    waiting = {origin}
    while waiting:
        each = waiting.pop()
        reading = readers[each]
        known = {table for table, _ in reading}
        conditions = set(tables_that_name(manifest, each)) - known
        of_conditions = {(table, c) for table in conditions for c in lineage.get(table, ())}
        waiting |= (reading | of_conditions) - found
        found |= reading | of_conditions
    return found


def _selects(manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each table or view of the project with a SELECT that makes its rows."""
    for node in manifest["nodes"].values():
        if node["resource_type"] != "model":
            continue
        is_feed = node["config"]["materialized"] == "materialized_view"
        table = _target(node, manifest) if is_feed else _name(node)
        # A comment of dbt's names the table that a view feeds, which the view does not read.
        yield table, _COMMENT.sub("", node["compiled_code"])


def _columns(sql: str) -> Columns:
    """The source columns of each column of a SELECT."""
    # Imported here: it is only needed to prepare the project.
    from sqlglot import exp, parse_one
    from sqlglot.lineage import lineage

    query = parse_one(sql, dialect="clickhouse")
    if not isinstance(query, exp.Query):
        raise TypeError(f"a model that is no SELECT: {sql}")
    columns: Columns = {}
    for column in query.named_selects:
        origins = set()
        for node in lineage(column, query, dialect="clickhouse").walk():
            if not node.downstream and isinstance(node.source, exp.Table) and node.source.db:
                table = f"{node.source.db}.{node.source.name}"
                origins.add((table, node.name.rpartition(".")[2]))
        columns[column] = sorted(origins)
    return columns


def _through_states(name: str, columns: Columns, known: Mapping[str, Columns]) -> Columns:
    """The columns, with the view's daily states replaced by the columns that these are made of."""
    states = name + _STATES_SUFFIX
    return {
        column: sorted(
            {
                origin
                for table, source in origins
                for origin in (
                    known[states].get(source, []) if table == states else [(table, source)]
                )
            }
        )
        for column, origins in columns.items()
    }


def _target(view: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """The table that a view feeds: the parent whose name is a prefix of the view's name."""
    for parent in _parents(view, manifest):
        if view["name"].startswith(f"{parent['name'].removesuffix(_STATES_SUFFIX)}__from__"):
            return _name(parent)
        if view["name"].startswith(f"{parent['name']}__from__"):
            return _name(parent)
    raise LookupError(f"{view['name']}: named <table>__from__<source>, but has no such table")


def _parents(node: Mapping[str, Any], manifest: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for unique_id in node["depends_on"]["nodes"]:
        if unique_id in manifest["nodes"]:
            yield manifest["nodes"][unique_id]


def _add(columns: Columns, more: Columns) -> None:
    for column, origins in more.items():
        columns[column] = sorted({*columns.get(column, []), *origins})


def _name(node: Mapping[str, Any]) -> str:
    return f"{node['schema']}.{node['alias']}"
