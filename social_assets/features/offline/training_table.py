"""`features.training_set`: which users came back, with what was known of them before.

Belongs here: the declared training set, its table, and filling it. Other questions ask
`point_in_time.training_set`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from social_assets.features.feature_view import USER
from social_assets.features.history import KNOWN_AT
from social_assets.features.offline.point_in_time import SETTINGS, PointInTime
from social_assets.features.registry import views_of
from social_assets.warehouse.served.serving_tables import (
    ServingColumn,
    ServingTable,
    replace_by_select,
    rows_of_table,
)

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

TRAINING_SET = "features.training_set"
LABEL = "is_back_within_7_days"
MEANING = "Users with the features known at a time, and whether they were active in the week after"
WEEKS = 12
_ACTIVE_DAYS = 28
_WEEK = timedelta(days=7)


def columns() -> tuple[ServingColumn, ...]:
    """The columns of the table: whom, when, the label, the features, and since when known."""
    views = views_of(USER)
    return (
        ServingColumn("platform", "LowCardinality(String)", "Where the user is"),
        ServingColumn("user_id", "String", "The platform's id of the user"),
        ServingColumn("at", "DateTime64(6, 'UTC')", "The time of the label; features are older"),
        ServingColumn(LABEL, "UInt8", "1: the user was active within 7 days after that time"),
        *(
            ServingColumn(each.name, each.type.of_clickhouse, each.description)
            for view in views
            for each in view.features
        ),
        *(
            ServingColumn(
                f"{view.name}__{KNOWN_AT}",
                "Nullable(DateTime64(6, 'UTC'))",
                f"Since when the features of {view.name} are known",
            )
            for view in views
        ),
    )


def training_table() -> ServingTable:
    """The table, with the columns of the features that are declared now."""
    return ServingTable(
        name=TRAINING_SET,
        columns=columns(),
        order="at, platform, user_id",
        constraints=("one row a platform, user_id and at",),
        meaning=MEANING,
    )


def write_training_set(client: Client, run: str, now: datetime) -> int:
    """Fill the table with the last weeks whose label is known; returns the number of rows.

    Users who were active in the 28 days before a time are its rows. Repeating it changes nothing.
    """
    table = training_table()
    names = tuple(each.name for view in views_of(USER) for each in view.features)
    last = now.astimezone(UTC).date() - _WEEK
    times = [last - n * _WEEK for n in range(WEEKS)]
    question = PointInTime(USER, _rows(times), names, min(times), kept=(LABEL,))
    shown = ", ".join(each.name for each in table.columns[2:])
    select = f"SELECT platform, id AS user_id, {shown} FROM ({question.sql()})"
    replace_by_select(client, table, select, run, SETTINGS)
    return rows_of_table(client, table)


def _rows(times: Sequence[object]) -> str:
    """SQL of users who were active before each time, with the label."""
    listed = ", ".join(f"toDate('{each}')" for each in times)
    return (
        "(SELECT p.platform AS platform, u.user_id AS id,\n"
        f"  toDateTime64(d.day, 6, 'UTC') AS at, d.is_back AS {LABEL}\n"
        "FROM (SELECT platform_key, user_key, day, toUInt8(max(event_date) >= day) AS is_back\n"
        f"  FROM features.user_days ARRAY JOIN [{listed}] AS day\n"
        f"  WHERE event_date >= day - {_ACTIVE_DAYS} AND event_date < day + {_WEEK.days}\n"
        "  GROUP BY platform_key, user_key, day HAVING min(event_date) < day) AS d\n"
        "INNER JOIN star.dim_platform AS p ON p.platform_key = d.platform_key\n"
        f"INNER JOIN {USER.dimension} AS u ON u.user_key = d.user_key)"
    )
