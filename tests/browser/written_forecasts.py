"""The forecasts of two platforms, as the nightly run writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from clickhouse_connect.driver.client import Client

from social_assets.forecasts.engagement import Forecasts, Member
from social_assets.forecasts.forecast import forecast_series
from social_assets.forecasts.series import DAILY, HOURLY
from social_assets.forecasts.tables import write_forecasts
from tests.unit.forecasts.planted import hourly, weekly


def write_forecasts_of_platforms(client: Client) -> None:
    """Fill the tables that the dashboard Forecasts reads. One day of YouTube is a spike."""
    end = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    x, youtube = weekly(seed=1), weekly(level=240, seed=2)
    youtube[-6] *= 2.2
    days = {
        Member(): x + youtube,
        Member("X"): x,
        Member("YouTube"): youtube,
        Member("YouTube", "channel"): youtube,
        Member("X", "new"): x[-10:],
    }
    hours = {Member(): hourly(seed=3)}
    found = [
        Forecasts(rhythm, at, {of: forecast_series(each, rhythm) for of, each in values.items()})
        for rhythm, at, values in ((DAILY, end, days), (HOURLY, end + timedelta(hours=5), hours))
    ]
    write_forecasts(client, found, "browser", datetime.now(UTC))
