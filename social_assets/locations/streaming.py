"""Code location `streaming`: the jobs and sensors that load files and drain topics.

Belongs here: only merging these jobs and sensors. Every run is a process that imports its code
location, and a drain starts within seconds of the first event, so nothing here imports dbt or makes
checks. Loads and drains record materializations and check results of assets that `batch` defines.
"""

from __future__ import annotations

from functools import cache

from dagster import Definitions, definitions, in_process_executor

from resources.clickhouse.resource import ClickHouseResource
from resources.dagster.run_console import run_console
from resources.kafka.resource import KafkaResource
from resources.settings.environments import current, require_complete
from resources.settings.logs import configure_logs
from sensors.file_arrival import file_arrival_sensor
from sensors.kafka_offsets import kafka_offsets_sensor
from social_assets.contracts.registry import contracts
from social_assets.defs.ingestion.drain_job import drain_job
from social_assets.defs.ingestion.load_job import load_job
from social_assets.defs.ingestion.unload_job import unload_job
from social_assets.defs.stores import StoresResource

SENSORS = (file_arrival_sensor, kafka_offsets_sensor)


@definitions
@cache
def defs() -> Definitions:
    """The definitions of the installation that the environment describes, made once a process.

    Raises EnvironmentSettingsError where a deployed installation lacks an address.
    """
    require_complete()
    configure_logs()
    clickhouse = ClickHouseResource()
    return Definitions(
        jobs=[
            load_job(),
            unload_job(),
            *(drain_job(contract) for contract in contracts()),
        ],
        sensors=[make(contract) for contract in contracts() for make in SENSORS],
        # As in `batch`.
        executor=None if current().is_deployed else in_process_executor,
        loggers={"console": run_console()},
        resources={
            "clickhouse": clickhouse,
            "kafka": KafkaResource(),
            "stores": StoresResource(clickhouse=clickhouse),
        },
    )
