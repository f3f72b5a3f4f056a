"""The job that collects from a platform: what is due of its tracked accounts, through every step.

Belongs here: collection in Dagster, one job a platform. A run records a materialization for exactly
the days whose rows changed, and an observation of the platform with what was asked and what failed.
The views behind the insert update facts and rollups: no dbt runs here.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from dagster import (
    AssetKey,
    AssetObservation,
    Config,
    JobDefinition,
    MetadataValue,
    OpExecutionContext,
    RunConfig,
    TableRecord,
    in_process_executor,
    job,
    op,
)
from pydantic import Field

from resources.dagster.recorded_events import record
from resources.settings.home import Home
from social_assets.defs.collection.platform_assets import platform_key
from social_assets.defs.collection.platform_results import report_platform
from social_assets.defs.ingestion.jobs.landed_days import report_landed
from social_assets.defs.stores import StoresResource
from social_assets.defs.warehouse.deployment import deploy_in_force
from social_assets.defs.warehouse.recovery import finish_warehouse
from social_assets.ingest.connectors.connector import Connector
from social_assets.ingest.connectors.registry import connectors

if TYPE_CHECKING:
    from social_assets.ingest.connectors.errors import CollectionError
    from social_assets.pipeline.collection.collect_due import CollectedPlatform
    from social_assets.pipeline.stores import StreamStores

PLATFORM_TAG = "social_assets/platform"
SECONDS = 300.0
"""A run begins no chain after so long; another run follows."""

_SHOWN = 20


# Dagster reads the types of an op's arguments: they are not imported for type checkers alone.
class CollectConfig(Config):
    """How long the run continues."""

    seconds: float = Field(
        default=SECONDS, description="No chain begins after so many seconds; another run follows"
    )


def collect_config(connector: Connector, seconds: float) -> RunConfig:
    """The configuration of a run that lasts so long."""
    return RunConfig(ops={_op_name(connector): CollectConfig(seconds=seconds)})


def _op_name(connector: Connector) -> str:
    return f"ask_{connector.platform.lower()}"


def collect_job_name(connector: Connector) -> str:
    """The name of a platform's job."""
    return f"collect_{connector.platform.lower()}"


@cache
def collect_jobs() -> tuple[JobDefinition, ...]:
    """The job of each platform, made once a process: the sensor names the same ones."""
    return tuple(map(_collect_job, connectors()))


def _collect_job(connector: Connector) -> JobDefinition:

    @op(
        name=_op_name(connector),
        description=f"Ask {connector.platform} for what is due, and take it through every step",
    )
    def collect(context: OpExecutionContext, config: CollectConfig, stores: StoresResource) -> None:
        _collect(context, connector, config, stores)

    # In the run's process: another one for the step would cost seconds at each run.
    @job(
        name=collect_job_name(connector),
        description=f"Collect what is due of the accounts that are tracked on {connector.platform}",
        executor_def=in_process_executor,
        tags={PLATFORM_TAG: connector.platform},
    )
    def collect_platform() -> None:
        collect()

    return collect_platform


def _collect(
    context: OpExecutionContext,
    connector: Connector,
    config: CollectConfig,
    stores: StoresResource,
) -> None:
    # Imported here: a code location that loads its jobs needs no HTTP client.
    from social_assets.control.engine import open_engine
    from social_assets.ingest.connectors.client import ConnectorClient
    from social_assets.pipeline.collection.collect_due import Collection

    home, run = Home.from_environment(), context.run.run_id
    deploy_in_force(stores)
    finish_warehouse(context.instance, stores, f"{run} finish_days")
    engine = open_engine(home)
    try:
        collection = Collection(
            connector, home, engine, stores.stores(), f"{run} collect {connector.platform}"
        )
        with ConnectorClient(connector, home, engine) as client:
            found = collection.collect(client, config.seconds)
    finally:
        engine.dispose()
    _report(context, collection.streams, found.days)
    finish_warehouse(context.instance, stores, f"{run} finish_days")
    for error in found.errors[:_SHOWN]:
        context.log.warning(str(error))
    for note in found.notes[:_SHOWN]:
        context.log.info(note)
    context.log_event(_observation(connector, found))
    record(context, report_platform(connector))
    context.log.info(
        f"{found.chains} chains, {found.pages} pages, {found.records} records; "
        f"{len(found.errors)} chains stopped early"
    )


def _report(
    context: OpExecutionContext,
    streams: Mapping[str, "StreamStores"],
    changed: Mapping[str, set[date]],
) -> None:
    """Record the changed days of each stream, and the results of the checks that they change."""
    for name, days in sorted(changed.items()):
        report_landed(context, streams[name], days)


def _observation(connector: Connector, found: "CollectedPlatform") -> AssetObservation:
    return AssetObservation(
        AssetKey(platform_key(connector.platform)),
        metadata={
            "chains": MetadataValue.int(found.chains),
            "pages": MetadataValue.int(found.pages),
            "records": MetadataValue.int(found.records),
            "stopped_early": MetadataValue.int(len(found.errors)),
            "problems": _problems(found.errors),
        },
    )


def _problems(errors: Sequence["CollectionError"]) -> MetadataValue[Any]:
    rows = [
        TableRecord(
            {"account": str(each.account), "endpoint": each.endpoint, "problem": str(each)[:500]}
        )
        for each in errors[:_SHOWN]
    ]
    return MetadataValue.table(rows) if rows else MetadataValue.text("none")
