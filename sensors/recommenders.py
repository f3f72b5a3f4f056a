"""Evaluates the conditions by which models are trained, and what they serve is refreshed.

Without a sensor of its own, Dagster would evaluate them in one that starts switched off.
"""

from dagster import AssetSelection, AutomationConditionSensorDefinition, DefaultSensorStatus

NAME = "train_and_serve"
INTERVAL_SECONDS = 60


def recommenders_sensor() -> AutomationConditionSensorDefinition:
    """The one sensor of the recommenders: nothing of theirs is due more often than hourly."""
    return AutomationConditionSensorDefinition(
        NAME,
        target=AssetSelection.groups("recsys"),
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=DefaultSensorStatus.RUNNING,
        description="Trains the models each night, and refreshes the lists of users who changed",
    )
