"""What a report declaration says, and the registry of reports.

Belongs here: the types, and finding the modules of `declared`. What the numbers are for a period
belongs to `content`, how pages look to `typeset`.
"""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from social_assets.metrics.grain import Grain
from social_assets.metrics.registry import metric
from social_assets.serving.charts.tile import Tile
from social_assets.serving.reports import declared


class ReportDeclarationError(ValueError):
    """A report is declared wrongly; the text names it."""


class UnknownReportError(KeyError):
    """No report has this name."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True)
class Page:
    """A part of a report under its own heading."""

    title: str
    tiles: tuple[Tile, ...]


@dataclass(frozen=True)
class Report:
    """A report of one period. All that is known of it is declared here and nowhere else."""

    name: str
    title: str
    description: str
    period: Grain
    """WEEK or MONTH."""
    headline: tuple[str, ...]
    """The metrics at the top, each with its change against the period before."""
    pages: tuple[Page, ...]
    owner: str = "team:engagement"

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of all metrics that the report shows."""
        shown = (name for page in self.pages for tile in page.tiles for name in tile.metrics)
        return tuple(dict.fromkeys((*self.headline, *shown)))


@cache
def reports() -> tuple[Report, ...]:
    """All reports. Raises ReportDeclarationError, or UnknownMetricError."""
    found = tuple(
        import_module(f"{declared.__name__}.{module.name}").REPORT
        for module in pkgutil.iter_modules(declared.__path__)
    )
    for each in found:
        if each.period not in (Grain.WEEK, Grain.MONTH):
            raise ReportDeclarationError(f"report {each.name}: its period must be WEEK or MONTH")
        for name in each.metrics:
            metric(name)
    return found


def report(name: str) -> Report:
    """The report of this name. Raises UnknownReportError."""
    for each in reports():
        if each.name == name:
            return each
    known = ", ".join(each.name for each in reports())
    raise UnknownReportError(f"no report is named {name!r}; there are {known}")
