"""A dashboard: its tiles, the filters of its page, the range that it opens with.

Belongs here: the declaration's type and its check. The declarations are in `declared`, one module a
dashboard; `registry` finds them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from social_assets.metrics.grain import ANSWERED, Grain
from social_assets.serving.charts.tile import Tile
from social_assets.serving.dashboards.health.tile import HealthTile

AnyTile: TypeAlias = Tile | HealthTile

GRAINS: tuple[Grain, ...] = tuple(grain for grain in ANSWERED if grain is not Grain.TOTAL)
"""The grains that a page offers."""


class DashboardError(ValueError):
    """A dashboard is declared wrongly; the text names it."""


@dataclass(frozen=True)
class PageFilter:
    """A filter that the reader sets. `is_single`: exactly one member, the greatest by default."""

    dimension: str
    title: str
    is_single: bool = False


PLATFORM = PageFilter("platform", "Platform")
ACCOUNT = PageFilter("account", "Account")
POST = PageFilter("post", "Post", is_single=True)
AGE_GROUP = PageFilter("age_group", "Age group")
GENDER = PageFilter("gender", "Gender")
DEVICE = PageFilter("device_type", "Device")
STREAM = PageFilter("stream", "Stream")


@dataclass(frozen=True)
class Dashboard:
    """One page. Every filter narrows each tile whose metrics are known by its dimension."""

    name: str
    title: str
    description: str
    tiles: tuple[AnyTile, ...]
    filters: tuple[PageFilter, ...] = ()
    range: str = "last_30_days"
    grain: Grain = Grain.DAY
    order: int = 100
    """Its place in the list of dashboards."""
    owner: str = "team:engagement"

    def __post_init__(self) -> None:
        names = [tile.name for tile in self.tiles]
        for name in names:
            if names.count(name) > 1:
                raise DashboardError(f"dashboard {self.name}: two tiles are named {name}")
        for each in self.filters:
            if not any(_is_known(tile, each.dimension) for tile in self.tiles):
                raise DashboardError(
                    f"dashboard {self.name}: no tile's metrics are known by {each.dimension}; "
                    "remove the filter"
                )

    def tile(self, name: str) -> AnyTile | None:
        """The tile of this name."""
        return next((each for each in self.tiles if each.name == name), None)


def _is_known(tile: AnyTile, dimension: str) -> bool:
    return isinstance(tile, Tile) and dimension in {each.name for each in tile.dimensions}
