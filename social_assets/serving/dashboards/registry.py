"""The declared dashboards: each module in `declared` and its folders has a DASHBOARD.

Belongs here: finding them.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from social_assets.serving.dashboards import declared as package
from social_assets.serving.dashboards.dashboard import Dashboard


@cache
def dashboards() -> tuple[Dashboard, ...]:
    """All dashboards, in the order of the list. Raises DashboardError and TileError."""
    found: list[Dashboard] = [
        import_module(module.name).DASHBOARD
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        if not module.ispkg
    ]
    return tuple(sorted(found, key=lambda each: (each.order, each.name)))


def dashboard(name: str) -> Dashboard | None:
    """The dashboard of this name."""
    return next((each for each in dashboards() if each.name == name), None)
