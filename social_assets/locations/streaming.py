"""Code location `streaming`: the jobs and sensors that load files, drain topics and collect.

Belongs here: only merging these jobs and sensors. Every run is a process that imports its code
location, and a drain starts within seconds of the first event, so nothing here imports dbt or makes
checks. Loads and drains record materializations and check results of assets that `batch` defines.
"""

from __future__ import annotations

from functools import cache

from resources.machine.garbage_collection import imports_kept

with imports_kept("dagster", "pandera.ibis", "deltalake", "pyarrow.parquet"):
    from dagster import Definitions, definitions

    from sensors.collection import collection_sensor
    from sensors.file_arrival import file_arrival_sensor
    from sensors.kafka_offsets import kafka_offsets_sensor
    from social_assets.contracts.registry import contracts
    from social_assets.defs.collection.collect_job import collect_jobs
    from social_assets.defs.ingestion.jobs.drain_job import drain_job
    from social_assets.defs.ingestion.jobs.load_job import load_job
    from social_assets.defs.ingestion.jobs.unload_job import unload_job
    from social_assets.defs.installation import in_installation
    from social_assets.ingest.connectors.registry import connectors

SENSORS = (file_arrival_sensor, kafka_offsets_sensor)


@definitions
@cache
def defs() -> Definitions:
    """The definitions, made once a process."""
    return in_installation(_location)


def _location() -> Definitions:
    return Definitions(
        jobs=[
            load_job(),
            unload_job(),
            *(drain_job(contract) for contract in contracts()),
            *collect_jobs(),
        ],
        sensors=[
            *(make(contract) for contract in contracts() for make in SENSORS),
            *map(collection_sensor, connectors()),
        ],
    )
