"""Who reads a column of a stream: tables, metrics, features, alerts, dashboards and reports.

Belongs here: following declarations from a column of `cleaned.<stream>` to what is shown. Between
tables `warehouse.dbt.column_lineage` follows it. In the SQL of metrics and features only names are
compared: a reader of another column with the same name may be listed too.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from social_assets.alerts.metric_rules.rule import AboveOwnQuantile, BelowThreshold, rules
from social_assets.features.registry import views
from social_assets.metrics.metric import Metric, Subject
from social_assets.metrics.registry import subjects
from social_assets.serving.charts.tile import Tile
from social_assets.serving.dashboards.registry import dashboards
from social_assets.serving.reports.report import reports
from social_assets.transform.text.sources import TEXT_SOURCES
from social_assets.warehouse import search_tables, text_tables
from social_assets.warehouse.dbt.column_lineage import (
    Columns,
    Origin,
    made_of,
    tables_that_name,
)
from social_assets.warehouse.ddl import DATABASE

ReaderKind = Literal["table", "metric", "features", "alert", "dashboard", "report"]
Why = Literal["names it", "is made of it"]
"""The SELECT of a table that names a column fails once the column is gone."""


@dataclass(frozen=True)
class Reader:
    """One reader of a column of a stream."""

    column: str
    kind: ReaderKind
    name: str
    """As a query, the API or a page names it."""
    why: Why


def readers(
    manifest: Mapping[str, Any], lineage: Mapping[str, Columns], stream: str, column: str
) -> tuple[Reader, ...]:
    """All readers of a column of `cleaned.<stream>`, tables first."""
    origin = (f"{DATABASE}.{stream}", column)
    naming = tables_that_name(manifest, origin)
    columns = {origin, *made_of(manifest, lineage, origin), *_of_texts(stream, column)}
    made = {table for table, _ in columns} - {origin[0], *naming}
    return (
        *(Reader(column, "table", name, "names it") for name in naming),
        *(Reader(column, "table", name, "is made of it") for name in sorted(made)),
        *(Reader(column, kind, name, "is made of it") for kind, name in _of_declarations(columns)),
    )


def _of_texts(stream: str, column: str) -> Iterator[Origin]:
    """The tables of texts, which no model of dbt makes."""
    for source in TEXT_SOURCES:
        if source.stream == stream and column in _words(source.texts("")):
            yield from ((text_tables.SENTIMENT, "*"), (search_tables.DOCUMENTS, "*"))
            yield from ((view, "*") for view in text_tables.VIEWS)


def _of_declarations(columns: Collection[Origin]) -> Iterator[tuple[ReaderKind, str]]:
    changed_metrics, changed_dimensions = set(), set()
    for subject in subjects():
        for metric in subject.metrics:
            if _is_of(subject, metric, columns):
                changed_metrics.add(metric.name)
        for dimension in subject.dimensions:
            if _names(dimension.column, subject.fact, columns):
                changed_dimensions.add((subject.name, dimension.name))
    yield from (("metric", name) for name in sorted(changed_metrics))
    for view in views():
        if any(_names(view.rows(""), watched.table, columns) for watched in view.watched):
            yield "features", view.name
    yield from _shown(changed_metrics, changed_dimensions)


def _is_of(subject: Subject, metric: Metric, columns: Collection[Origin]) -> bool:
    """Whether a metric's atoms, or the dimensions that restrict them, read one of the columns."""
    for atom in metric.formula.atoms():
        measure = subject.measure(atom.measure)
        dimensions = (subject.dimension(name) for name, _ in atom.only)
        read = " ".join(each.column for each in dimensions if each)
        if _names(f"{measure.of_fact} {measure.counted_if} {read}", subject.fact, columns):
            return True
    return False


def _names(sql: str, fact: str, columns: Collection[Origin]) -> bool:
    """Whether SQL over a table, or over a SELECT in parentheses, names one of the columns."""
    for table, column in columns:
        if table == fact and (column in {"*", *_words(sql)}):
            return True
        # What a SELECT makes of a column is not followed: any of its columns may be of it.
        if fact.startswith("(") and _reads(fact, table) and column in {"*", *_words(fact)}:
            return True
    return False


def _words(sql: str) -> set[str]:
    return set(re.findall(r"\w+", sql))


def _reads(sql: str, table: str) -> bool:
    return re.search(rf"\b{re.escape(table)}\b", sql) is not None


def _shown(
    metrics: Collection[str], dimensions: Collection[tuple[str, str]]
) -> Iterator[tuple[ReaderKind, str]]:
    """The alerts, dashboards and reports of metrics, or of dimensions of a subject."""
    subject_of = {metric.name: each.name for each in subjects() for metric in each.metrics}

    def is_changed(names: Collection[str], by: Collection[str]) -> bool:
        of_metric = any(name in metrics for name in names)
        return of_metric or any((subject_of[n], each) in dimensions for n in names for each in by)

    for rule in rules():
        counted = [c.counted for c in rule.conditions if isinstance(c, BelowThreshold)]
        within = [c.within for c in rule.conditions if isinstance(c, AboveOwnQuantile)]
        if is_changed((rule.metric, *counted), (rule.by, *within)):
            yield "alert", rule.name
    for board in dashboards():
        tiles = [tile for tile in board.tiles if isinstance(tile, Tile)]
        filters = [each.dimension for each in board.filters]
        if any(is_changed(tile.metrics, (*_dimensions(tile), *filters)) for tile in tiles):
            yield "dashboard", board.name
    for report in reports():
        pages = [tile for page in report.pages for tile in page.tiles]
        is_read = is_changed(report.headline, ())
        if is_read or any(is_changed(tile.metrics, _dimensions(tile)) for tile in pages):
            yield "report", report.name


def _dimensions(tile: Tile) -> tuple[str, ...]:
    return (*tile.by, *(each.dimension for each in tile.where), *filter(None, (tile.drill,)))
