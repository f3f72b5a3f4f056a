"""Dashboards that people compose: their JSON, and the tiles in it.

Belongs here: reading and checking the JSON of a saved dashboard, and a tile out of a URL's
parameters. Storing them belongs to `control.dashboards`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from social_assets.metrics.formula import Additivity
from social_assets.metrics.planner.question import QuestionError
from social_assets.metrics.planner.read_question import read_grain
from social_assets.metrics.registry import metrics, subject_of
from social_assets.serving.charts.tile import Chart, Tile, TileError
from social_assets.serving.dashboards.dashboard import (
    ACCOUNT,
    AGE_GROUP,
    DEVICE,
    GENDER,
    PLATFORM,
    STREAM,
    Dashboard,
    PageFilter,
)

MOST_TILES = 30
_FILTERS = (PLATFORM, ACCOUNT, AGE_GROUP, GENDER, DEVICE, STREAM)
_Name = Annotated[str, Field(min_length=1, max_length=100)]


class ComposedTile(BaseModel):
    """A tile as a page sends it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Annotated[str, Field(max_length=200)] = ""
    metrics: Annotated[tuple[_Name, ...], Field(min_length=1, max_length=12)]
    chart: Chart
    by: Annotated[tuple[_Name, ...], Field(max_length=3)] = ()
    limit: Annotated[int, Field(ge=1, le=200)] = 10
    compare: bool = False
    width: Annotated[int, Field(ge=2, le=12)] = 6

    def tile(self, name: str) -> Tile:
        """The tile. Raises TileError."""
        titles = [each.title for each in metrics() if each.name in self.metrics]
        by = f" by {' and '.join(self.by)}".replace("_", " ") if self.by else ""
        return Tile(
            name,
            self.title.strip() or f"{', '.join(titles)}{by}",
            self.metrics,
            self.chart,
            by=self.by,
            limit=175 if self.chart in (Chart.HEAT_MAP, Chart.COLUMNS) else self.limit,
            is_compared=self.compare,
            drill=_drill_of(self.metrics, self.by),
            width=self.width,
        )

    def parameters(self) -> str:
        """The tile as the query of a URL, so that equal tiles are one URL."""
        pairs = [("m", name) for name in self.metrics] + [("by", name) for name in self.by]
        pairs += [("chart", self.chart.value), ("limit", str(self.limit))]
        pairs += [("title", self.title)] if self.title else []
        return urlencode([*pairs, *([("compared", "1")] if self.compare else [])])


class ComposedDashboard(BaseModel):
    """A dashboard as a page sends it and the store keeps it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tiles: Annotated[tuple[ComposedTile, ...], Field(min_length=1, max_length=MOST_TILES)]
    range: _Name = "last_30_days"
    grain: _Name = "day"

    def dashboard(self, name: str, title: str) -> Dashboard:
        """The dashboard. Raises TileError, and QuestionError for an unknown grain."""
        tiles = tuple(each.tile(f"tile_{n}") for n, each in enumerate(self.tiles))
        known = {d.name for tile in tiles for d in tile.dimensions}
        filters: tuple[PageFilter, ...] = tuple(f for f in _FILTERS if f.dimension in known)
        grain = read_grain(self.grain)
        return Dashboard(name, title, "", tiles, filters, self.range, grain)


class ComposedError(ValueError):
    """What a page sent is no dashboard; the text names the place and the reason."""


def read_dashboard(document: str) -> ComposedDashboard:
    """The dashboard of a JSON document. Raises ComposedError."""
    try:
        found = ComposedDashboard.model_validate_json(document)
        found.dashboard("new", "new")
    except ValidationError as error:
        raise ComposedError(_first(error)) from None
    except (TileError, QuestionError) as error:
        raise ComposedError(str(error)) from None
    return found


def read_tile(parameters: Sequence[tuple[str, str]]) -> Tile:
    """The tile that the parameters of a URL describe. Raises ComposedError."""
    single = dict(parameters)
    given: dict[str, Any] = {
        "metrics": [value for name, value in parameters if name == "m"],
        "by": [value for name, value in parameters if name == "by"],
        "chart": single.get("chart", ""),
        "title": single.get("title", ""),
        "limit": single.get("limit") or 10,
        "compare": bool(single.get("compared")),
    }
    try:
        return ComposedTile.model_validate_json(json.dumps(given)).tile("composed")
    except ValidationError as error:
        raise ComposedError(_first(error)) from None
    except TileError as error:
        raise ComposedError(str(error)) from None


def metric_choices() -> list[Mapping[str, object]]:
    """The metrics that a builder offers, with what each can be divided by."""
    return [
        {
            "name": each.name,
            "title": each.title,
            "unit": each.unit,
            "description": each.description,
            "subject": subject_of(each.name).name,
            "adds_up": each.additivity is Additivity.ADDITIVE,
            "dimensions": [d.name for d in subject_of(each.name).dimensions],
        }
        for each in metrics()
        if each.additivity is not Additivity.AS_REPORTED
    ]


def _drill_of(names: Sequence[str], by: Sequence[str]) -> str:
    """The dimension whose members a group lists: posts, or what the subject has of the kind."""
    tile = Tile("drill", "", tuple(names), Chart.TABLE) if _are_known(names) else None
    known = {each.name for each in tile.dimensions} if tile else set()
    found = next((d for d in ("post", "video", "live_event", "community") if d in known), "")
    return found if by and found not in by else ""


def _are_known(names: Sequence[str]) -> bool:
    return {*names} <= {each.name for each in metrics()}


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"]) or "the document"
    return f"{place}: {first['msg']}"
