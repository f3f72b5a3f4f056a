"""A graph for a daemon: a fact whose days always fail.

Each attempt adds a line to `attempts` in the home. The sensor is the platform's, with a short
interval.
"""

import dagster as dg

from resources.settings.home import Home
from sensors import automation
from social_assets.defs.automation import REBUILD_CHANGED_DAYS
from social_assets.defs.partitions import daily, days_of

HOME = Home.from_environment()
automation.INTERVAL_SECONDS = 1


@dg.asset(key=["raw", "posts"], group_name="raw", partitions_def=daily())
def raw() -> None:
    """The asset that the test reports as changed."""


@dg.asset(
    key=["star", "posts"],
    group_name="star",
    deps=[raw],
    partitions_def=daily(),
    backfill_policy=dg.BackfillPolicy.single_run(),
    automation_condition=REBUILD_CHANGED_DAYS,
)
def fact(context: dg.AssetExecutionContext) -> None:
    """Record the number of days of the attempt, and fail."""
    with (HOME.path / "attempts").open("a") as attempts:
        attempts.write(f"{len(days_of(context))}\n")
    raise ConnectionError("as asked")


defs = dg.Definitions(assets=[raw, fact], sensors=[automation.automation_sensor()])
