"""Forecasts in the home's warehouse, for the command line.

Belongs here: asking. How they are made belongs to `forecasts`.
"""

from __future__ import annotations

from resources.clickhouse.resource import ClickHouseResource
from social_assets.forecasts.tables import FORECASTS
from social_assets.warehouse.tables import exists

COMMENT = "social-assets forecast"


NONE = (
    "no forecast: materialize forecasts/engagement in the UI, or wait for the night. Accounts are "
    "forecast by day only"
)
"""What is said if there is nothing to show."""


def recorded_steps(grain: str, platform: str, account: str) -> list[tuple[object, ...]]:
    """Time, actual value, forecast and intervals of each step of a series; none without a forecast.

    Raises clickhouse-connect's errors.
    """
    with ClickHouseResource().client(COMMENT) as client:
        if not exists(client, FORECASTS.name):
            return []
        return [
            tuple(row)
            for row in client.query(
                "SELECT formatDateTime(time, '%Y-%m-%d %H:%i', 'UTC'), actual,\n"
                "  round(forecast, 1), round(lower_80, 1), round(upper_80, 1),\n"
                f"  round(lower_95, 1), round(upper_95, 1) FROM {FORECASTS.name}\n"
                "WHERE grain = {grain:String} AND platform = {platform:String}\n"
                "  AND account = {account:String} ORDER BY time",
                parameters={"grain": grain, "platform": platform, "account": account},
            ).result_rows
        ]
