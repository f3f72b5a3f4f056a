"""Requests the checks of contracts that cannot be used, so that the UI shows them as failed.

There is one run for each set of reasons: the run key is made of their texts.
"""

from __future__ import annotations

import hashlib

from dagster import DefaultSensorStatus, RunRequest, SensorDefinition, sensor

from social_assets.contracts.registry import broken_contracts
from social_assets.defs.monitoring.broken_contracts import CHECK_CONTRACTS

NAME = "broken_contracts"
INTERVAL_SECONDS = 30


def broken_contracts_sensors() -> list[SensorDefinition]:
    """The sensor; none if every contract can be used."""
    if not broken_contracts():
        return []

    @sensor(
        name=NAME,
        job_name=CHECK_CONTRACTS,
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=DefaultSensorStatus.RUNNING,
        description="Shows contracts that cannot be used as failed checks",
    )
    def requests() -> RunRequest:
        told = "\n".join(str(each) for each in broken_contracts())
        return RunRequest(run_key=hashlib.sha256(told.encode()).hexdigest()[:16])

    return [requests]
