"""Evaluates the automation conditions that train models and refresh what they serve.

Without this sensor, Dagster would use its default one, which is switched off at first.
"""

from dagster import AssetSelection, AutomationConditionSensorDefinition, DefaultSensorStatus

NAME = "train_and_serve"
INTERVAL_SECONDS = 60


def recommenders_sensor() -> AutomationConditionSensorDefinition:
    """The sensor of the recommenders. It runs rarely: nothing is due more often than hourly."""
    return AutomationConditionSensorDefinition(
        NAME,
        target=AssetSelection.groups("recsys"),
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=DefaultSensorStatus.RUNNING,
        description="Trains the models each night, and refreshes the lists of users who changed",
    )
