"""Evaluates the automation conditions that rebuild days after their sources have changed.

Without this sensor, Dagster would use its default one, which is switched off at first.
"""

from dagster import AssetSelection, AutomationConditionSensorDefinition, DefaultSensorStatus

from social_assets.defs.automation import RETRIES
from social_assets.defs.maintenance.rebuild_jobs import REBUILD_LAYERS

NAME = "rebuild_changed_days"
INTERVAL_SECONDS = 30


def automation_sensor() -> AutomationConditionSensorDefinition:
    """The sensor of the layers that are partitioned by day."""
    return AutomationConditionSensorDefinition(
        NAME,
        target=AssetSelection.groups(*REBUILD_LAYERS),
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=DefaultSensorStatus.RUNNING,
        run_tags=RETRIES,
        description="Makes days anew, up to the rollups, after one of their sources changed",
    )
