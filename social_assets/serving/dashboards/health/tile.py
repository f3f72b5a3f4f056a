"""A tile whose figures are of the platform itself, and come from no metric.

Belongs here: the declaration's type. Its figures are read by a function of this folder.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from social_assets.serving.charts.figures import TileFigures
from social_assets.serving.charts.tile import Chart

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from social_assets.pipeline.stores import Stores


@dataclass(frozen=True)
class HealthSource:
    """What a health tile reads: the warehouse, the lake, and the range of the page."""

    client: Client
    stores: Callable[[], Stores]
    start: datetime
    end: datetime


@dataclass(frozen=True)
class HealthTile:
    """One chart of the platform's own figures."""

    name: str
    title: str
    chart: Chart
    read: Callable[[HealthSource], TileFigures]
    formula: str
    """How its figures are computed."""
    tables: tuple[str, ...]
    """What they are read from."""
    note: str = ""
    empty: str = "No records in this range. Choose a longer range."
    """What the page says if there is nothing to show."""
    width: int = 6
    by: tuple[str, ...] = ()
    is_compared: bool = False
    drill: str = ""
    metrics: tuple[str, ...] = ()
