"""What the pages need of the server that they are part of.

Belongs here: the interface. The application gives it; a test can give its own.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from fastapi import Request

from social_assets.control.dashboards import SavedDashboards

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from social_assets.pipeline.stores import Stores

T = TypeVar("T")

REFRESH_SECONDS = 60.0


class Backend(Protocol):
    """The services behind the pages."""

    @property
    def refresh_seconds(self) -> float:
        """How often an open page asks again."""
        ...

    @property
    def asset_folder(self) -> Path:
        """Where files that were made for the pages are kept."""
        ...

    def saved(self) -> SavedDashboards:
        """The dashboards that people saved."""
        ...

    def stores(self) -> Stores:
        """Lake, engine and warehouse."""
        ...

    async def run(self, request: Request, work: Callable[[Client], T], kept: str) -> T:
        """The result of some work with a client of the warehouse.

        `kept` names the work: equal names within a minute may have one result.
        """
        ...

    async def run_store(self, work: Callable[[], T]) -> T:
        """The result of some work with the operational store, in a thread."""
        ...
