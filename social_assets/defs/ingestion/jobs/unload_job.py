"""The job that unloads batches of one stream, to undo a wrong load.

Belongs here: the run. What an unload does belongs to `complete_unloads` and `pipeline.unload`.
"""

from collections.abc import Sequence

from dagster import Config, JobDefinition, OpExecutionContext, RunConfig, job, op
from pydantic import Field

from social_assets.contracts.registry import contract
from social_assets.defs.ingestion.jobs.complete_unloads import complete_unloads, rebuilt_from
from social_assets.defs.stores import StoresResource
from social_assets.defs.warehouse.deployment import deploy_in_force
from social_assets.pipeline.files.unload_requests import request_unload
from social_assets.pipeline.ledger_counts import reconcile

JOB_NAME = "unload_batches"
OP_NAME = "unload"


class UnloadConfig(Config):
    """What to unload."""

    stream: str = Field(description="Name of the contract")
    batches: list[str] = Field(default=[], description="Ids of batches of files")


@op(name=OP_NAME, description="Take batches out of every table and make their days anew")
def unload(context: OpExecutionContext, config: UnloadConfig, stores: StoresResource) -> None:
    """Unload the batches of one run, and complete what earlier runs have left."""
    deploy_in_force(stores)
    comment = f"{context.run.run_id} unload {config.stream}"
    stream = stores.stores().of(contract(config.stream), comment)
    with stream.lock():
        reconcile(stream)
        request_unload(stream, config.batches, rebuilt_from(config.stream))
    complete_unloads(context, stream, stores.clickhouse)


def unload_job() -> JobDefinition:
    """The job. Its run config names the stream and the batches."""

    @job(name=JOB_NAME, description="Unload batches of one stream and make their days anew")
    def unload_batches() -> None:
        unload()

    return unload_batches


def unload_config(stream: str, batches: Sequence[str]) -> RunConfig:
    """The run config of one unload."""
    return RunConfig(ops={OP_NAME: UnloadConfig(stream=stream, batches=list(batches))})
