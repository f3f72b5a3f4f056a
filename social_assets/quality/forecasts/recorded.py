"""What the checks of forecasts compute: series outside their band, coverage, errors.

Belongs here: the queries. The tables are filled by the asset `forecasts/engagement`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from social_assets.forecasts.engagement import Member
from social_assets.forecasts.tables import FORECASTS, SERIES
from social_assets.warehouse.tables import exists

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

FAR = 1.5
"""Half widths of the 95 % interval from which a value is told. One value in twenty is outside of
the interval by chance; of normal errors, one in 300 is as far as this."""
_MOST_TOLD = 20


@dataclass(frozen=True)
class FarValue:
    """A value far outside of its band."""

    grain: str
    member: Member
    time: datetime
    actual: float
    forecast: float
    lower: float
    upper: float

    def __str__(self) -> str:
        at = f"{self.time:%Y-%m-%d %H:%M} UTC" if self.grain == "hour" else f"{self.time:%Y-%m-%d}"
        return (
            f"{self.member} at {at}: {self.actual:,.0f}; expected {self.forecast:,.0f}, "
            f"between {self.lower:,.0f} and {self.upper:,.0f}"
        )


@dataclass(frozen=True)
class Coverage:
    """How many values of the last windows are inside of the intervals of 95 %."""

    values: int
    inside: int

    @property
    def part(self) -> float:
        """The part of the values; 1 without values."""
        return self.inside / self.values if self.values else 1.0


def far_values(client: Client) -> list[FarValue]:
    """The values of the newest day and of the newest hour far outside of their band.

    Those of platforms come before those of accounts, the farthest first, at most 20.
    """
    if not exists(client, FORECASTS.name):
        return []
    rows = client.query(
        "SELECT grain, platform, account, time, actual, forecast, lower_95, upper_95\n"
        f"FROM {FORECASTS.name}\n"
        "WHERE is_anomaly AND distance >= {far:Float64} AND (grain, time) IN (\n"
        f"  SELECT grain, max(time) FROM {FORECASTS.name} WHERE actual IS NOT NULL\n"
        "  GROUP BY grain)\n"
        f"ORDER BY account != '', distance DESC, platform, account LIMIT {_MOST_TOLD}",
        parameters={"far": FAR},
    ).result_rows
    return [
        FarValue(grain, Member(platform, account), *others)
        for grain, platform, account, *others in rows
    ]


def coverage(client: Client) -> Coverage:
    """Counted over all series."""
    if not exists(client, FORECASTS.name):
        return Coverage(0, 0)
    [(values, inside)] = client.query(
        f"SELECT count(), countIf(NOT is_anomaly) FROM {FORECASTS.name} WHERE actual IS NOT NULL"
    ).result_rows
    return Coverage(values, inside)


def series_that_lose(client: Client) -> list[str]:
    """Series whose model has a greater error than seasonal naive, or that have several rows."""
    if not exists(client, SERIES.name):
        return []
    rows = client.query(
        f"SELECT grain, platform, account FROM {SERIES.name}\n"
        "GROUP BY grain, platform, account HAVING count() > 1 OR max(error > naive_error)\n"
        f"ORDER BY grain, platform, account LIMIT {_MOST_TOLD}"
    ).result_rows
    return [f"{Member(platform, account)} by {grain}" for grain, platform, account in rows]
