"""Has connectors that gave up try again, on the home's worker of Kafka Connect.

A connector waits for a database that is away, but gives up at some moments of its begin; Kafka
Connect never tries again. Belongs here: when that is looked at. `resources.kafka_connect` asks the
worker.
"""

from __future__ import annotations

from dagster import DefaultSensorStatus, SensorDefinition, SkipReason, sensor

from resources.kafka_connect import worker
from resources.settings.home import Home
from social_assets.contracts.registry import contracts

NAME = "failed_captures"
INTERVAL_SECONDS = 30


def failed_captures_sensors() -> list[SensorDefinition]:
    """The sensor; none without a stream of changes. It requests no runs."""
    if not any(contract.capture for contract in contracts()):
        return []

    @sensor(
        name=NAME,
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=DefaultSensorStatus.RUNNING,
        description="Has connectors of captured tables that gave up try again",
    )
    def tries_again() -> SkipReason:
        home = Home.from_environment()
        if not worker.is_running(home):
            return SkipReason("no Kafka Connect worker runs: social-assets cdc start")
        restarted = worker.client(home).restart_failed()
        told = f"tried again: {', '.join(restarted)}" if restarted else "no connector has failed"
        return SkipReason(told)

    return [tries_again]
