"""Evaluates the automation conditions that fetch pictures after new posts.

Without this sensor, Dagster would use its default one, which is switched off at first.
"""

from dagster import AssetSelection, AutomationConditionSensorDefinition, DefaultSensorStatus

from social_assets.defs.media.media_keys import GROUP

NAME = "fetch_pictures"
INTERVAL_SECONDS = 30


def media_sensor() -> AutomationConditionSensorDefinition:
    """The sensor of the pictures of all streams."""
    return AutomationConditionSensorDefinition(
        NAME,
        target=AssetSelection.groups(GROUP),
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=DefaultSensorStatus.RUNNING,
        description="Fetches the pictures of new posts, and tries failed ones again each hour",
    )
