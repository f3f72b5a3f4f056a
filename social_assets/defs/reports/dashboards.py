"""`dashboards/<name>`: the pages that people look at, downstream of the tables that they read.

Belongs here: what Dagster shows of a declared dashboard. Nothing makes them: the server reads the
tables when a page asks. What a dashboard shows is declared in `serving/dashboards/declared`.
"""

from dataclasses import replace
from datetime import UTC, datetime

from dagster import AssetKey, AssetSpec, MetadataValue, TableColumn, TableRecord, TableSchema

from social_assets.metrics.planner.plan import plan
from social_assets.metrics.planner.question import Filter, Question, subjects_of
from social_assets.serving.charts.tile import Tile
from social_assets.serving.dashboards.asked import Asked, read_asked
from social_assets.serving.dashboards.dashboard import Dashboard
from social_assets.serving.dashboards.registry import dashboards
from social_assets.serving.dashboards.tile_answer import questions_of
from social_assets.warehouse.text_tables import SENTIMENT, VIEWS

GROUP = "dashboards"
_NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
"""When the pages are opened of which the tables are named: any day has the same ones."""
_COLUMNS = TableSchema([TableColumn(name) for name in ("tile", "metrics", "tables")])


def dashboard_specs() -> list[AssetSpec]:
    """One external asset a dashboard."""
    return [_spec(each) for each in dashboards()]


def _spec(of: Dashboard) -> AssetSpec:
    asked = _opened(of)
    read = {tile.title: tables_of(tile, asked) for tile in of.tiles if isinstance(tile, Tile)}
    metrics = dict.fromkeys(name for tile in of.tiles for name in tile.metrics)
    tiles = [
        TableRecord(
            {
                "tile": tile.title,
                "metrics": ", ".join(tile.metrics),
                "tables": ", ".join(read.get(tile.title, ())),
            }
        )
        for tile in of.tiles
    ]
    return AssetSpec(
        [GROUP, of.name],
        group_name=GROUP,
        owners=[of.owner],
        kinds={"dashboard"},
        deps=sorted({asset_with_rows(table) for table in set().union(*read.values())}),
        description=(
            f"{of.description}. A page of `social-assets serve`, which reads these tables when "
            "somebody opens it"
        ),
        metadata={
            "shows": ", ".join(metrics),
            "page": MetadataValue.path(f"/dashboards/{of.name}"),
            "tiles": MetadataValue.table(tiles, _COLUMNS),
        },
    )


def asset_with_rows(table: str) -> AssetKey:
    """The asset that has the rows: the views of scored texts are part of `text/sentiment`."""
    return AssetKey((SENTIMENT if table in VIEWS else table).split("."))


def _opened(of: Dashboard) -> Asked:
    """What a page asks before anybody chooses a filter: one member where it shows one."""
    single = (Filter(each.dimension, ("any",)) for each in of.filters if each.is_single)
    return replace(read_asked((), of, _NOON), filters=tuple(single))


def tables_of(tile: Tile, asked: Asked) -> tuple[str, ...]:
    """The tables that answer a tile when its page is opened without filters."""
    found = [name for question in questions_of(tile, asked) for name in _tables(question)]
    return tuple(dict.fromkeys(found))


def _tables(question: Question) -> list[str]:
    found: list[str] = []
    for subject in subjects_of(question):
        for piece in plan(question, subject).pieces:
            if piece.rollup is not None:
                found.append(piece.rollup.table)
            elif subject.fact.startswith("("):
                found += [source.fact for source in subject.sources]
            else:
                found.append(subject.fact)
    return found
