"""The job that takes waiting files through every step of one stream at once.

Belongs here: the incremental path in Dagster. One run loads some files of one stream, and records a
materialization for exactly the days whose rows changed, of every asset that has them. The views
behind the insert update facts and rollups, not dbt.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from dagster import (
    AssetKey,
    Config,
    Failure,
    JobDefinition,
    MetadataValue,
    OpExecutionContext,
    RunConfig,
    job,
    op,
)
from pydantic import Field

from resources.dagster.recorded_events import record
from resources.settings.home import Home
from social_assets.contracts.registry import contract
from social_assets.defs.ingestion.checks.rule_results import report_rules
from social_assets.defs.ingestion.jobs.changed_days import Previews, fed_now, materializations
from social_assets.defs.ingestion.jobs.complete_unloads import complete_unloads, rebuilt_from
from social_assets.defs.monitoring.invariant_results import report_days
from social_assets.defs.partitions import partition_notice
from social_assets.defs.stores import StoresResource
from social_assets.defs.stream_tag import FAILED_FILES_TAG
from social_assets.defs.warehouse.deployment import deploy_in_force
from social_assets.defs.warehouse.recovery import finish_warehouse
from social_assets.defs.warehouse.row_previews import newest_cleaned_rows, newest_rows
from social_assets.ingest.records import FileChangedError
from social_assets.pipeline.files.allowed_files import check_allowed
from social_assets.pipeline.files.file_batches import Replace
from social_assets.pipeline.files.landing_folder import Landing, date_in
from social_assets.pipeline.files.path_text import config_text, path_of
from social_assets.pipeline.files.unfinished_files import at_rest
from social_assets.pipeline.landing_store.landing_objects import Fetched, fetch_what_answers
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import Ingested, ingest_files
from social_assets.quality.load_result import LoadedRecords, failure_of_load, rejected_by_rule
from social_assets.warehouse.dbt.tables import Warehouse

JOB_NAME = "load_files"
OP_NAME = "load"


class LoadConfig(Config):
    """What to load: these files, or else those in the stream's landing folder."""

    stream: str = Field(description="Name of the contract")
    files: list[str] = Field(
        default=[],
        description="Absolute paths below landing or SOCIAL_ASSETS_LOAD_FOLDERS; they stay there",
    )
    landing_date: str | None = Field(
        default=None,
        description="Date of records that carry none, YYYY-MM-DD; by default in the file's name",
    )
    replace: bool = Field(
        default=False, description="Unload earlier batches of the same content or file name"
    )


@op(name=OP_NAME, description="Take files through raw, cleaned and quarantine into the warehouse")
def load(context: OpExecutionContext, config: LoadConfig, stores: StoresResource) -> None:
    """Load the files of one run. Bad files fail the run after the good ones are loaded."""
    stream_contract = contract(config.stream)
    deploy_in_force(stores)
    finish_warehouse(context.instance, stores, f"{context.run.run_id} finish_days")
    stream = stores.stores().of(stream_contract, f"{context.run.run_id} load {config.stream}")
    on = date.fromisoformat(config.landing_date) if config.landing_date else None
    fetched = Fetched([])
    if config.files:
        replace = Replace(rebuilt_from(config.stream)) if config.replace else None
        paths = [path_of(file) for file in config.files]
        ingested = ingest_files(stream, paths, on or date_in, check_allowed, replace)
    else:
        landing = Landing(Home.from_environment().landing, config.stream)
        rewritten = landing.rewritten()
        replace = Replace(rebuilt_from(config.stream), rewritten) if rewritten else None
        fetched = fetch_what_answers(landing)
        others = [path for path in landing.waiting() if path not in fetched.copies]
        paths = [*at_rest([*rewritten, *others]), *fetched.copies]
        ingested = ingest_files(stream, paths, on or date_in, check_allowed, replace)
        for left in landing.put_aside(ingested):
            context.log.warning(left)
    # And what this load found interrupted.
    finish_warehouse(context.instance, stores, f"{context.run.run_id} finish_days")
    complete_unloads(context, stream, stores.clickhouse)
    behind, days = fed_now(stream), sorted(ingested.days)
    record(context, materializations(stream, days, behind, _previews(stream, days, behind)))
    record(context, report_rules(stream))
    record(context, report_days(context.instance, stream, ingested.days))
    if notice := partition_notice(ingested.days):
        context.log.warning(notice)
    told = _tell_records(context, stream, ingested)
    # The command counts for itself, and ends with an exit code of its own.
    refused = [] if config.files else told
    if fetched.failure:
        context.log.error(str(fetched.failure))
    _report(context, ingested, refused, is_named=bool(config.files))
    if fetched.failure:
        raise fetched.failure


def _previews(stream: StreamStores, days: Sequence[date], behind: Sequence[AssetKey]) -> Previews:
    """The newest rows of the stream's cleaned table and of the tables behind it."""
    if not days:
        return {}
    project = Warehouse.of(Home.from_environment())
    tables = [t for layer in ("star", "rollups") for t in project.tables(layer)]
    cleaned = AssetKey(["cleaned", stream.name])
    with stream.stores.clickhouse.client(stream.log_comment) as client:
        found = {cleaned: newest_cleaned_rows(client, stream.contract, days[-1])}
        for table in tables:
            if table.asset in behind:
                found[table.asset] = newest_rows(client, table, days[-1])
    return found


def load_job() -> JobDefinition:
    """The job. Its run config names the stream and the files."""

    @job(
        name=JOB_NAME,
        description="Take files of one stream through every step, as they arrive",
    )
    def load_files() -> None:
        load()

    return load_files


def run_config(
    stream: str, files: Sequence[Path] = (), on: date | None = None, *, replace: bool = False
) -> RunConfig:
    """The run config of one load."""
    return RunConfig(
        ops={
            OP_NAME: LoadConfig(
                stream=stream,
                files=[config_text(file) for file in files],
                landing_date=on.isoformat() if on else None,
                replace=replace,
            )
        }
    )


def _report(
    context: OpExecutionContext, ingested: Ingested, refused: Sequence[str], *, is_named: bool
) -> None:
    """Log the files. Raise Failure for those that failed, and for a load that rejects too much; a
    file in landing that changed while it was read is only waited for.
    """
    for file in ingested.landed:
        context.log.info(f"{file.path.name}: {'loaded before' if file.already else 'loaded'}")
        for note in file.notes:
            context.log.info(f"{file.path.name}: {note}")
    failures = [f for f in ingested.failures if is_named or not isinstance(f, FileChangedError)]
    for each in ingested.failures:
        if each not in failures:
            context.log.warning(f"it stays in landing: {each}")
    if failures and not refused and not any(isinstance(f, FileChangedError) for f in failures):
        # Alerts then tell of the files, and not of this run as well.
        tag = {FAILED_FILES_TAG: str(len(failures))}
        context.instance.add_run_tags(context.run_id, tag)
    if failures or refused:
        whys = [*map(str, failures), *refused]
        raise Failure("; ".join(whys), allow_retries=False)


def _tell_records(
    context: OpExecutionContext, stream: StreamStores, ingested: Ingested
) -> list[str]:
    """Log how many records were accepted. Returns why the load rejects too much, if it does: the
    checks of the rules, which fail then too, stay failed until the days are good.
    """
    batches = [file.batch_id for file in ingested.landed if not file.already]
    loaded = LoadedRecords.of(stream, batches)
    notes = {file.path.name: list(file.notes) for file in ingested.landed if file.notes}
    context.add_output_metadata(
        {"records": loaded.records, "accepted": loaded.accepted, "rejected": loaded.rejected}
        | ({"notes": MetadataValue.json(notes)} if notes else {})
    )
    context.log.info(f"{loaded.accepted:,} of {loaded.records:,} records accepted")
    rejected = rejected_by_rule(stream, batches) if loaded.rejected else []
    why = failure_of_load(stream.contract, loaded, rejected)
    if why:
        context.log.error("\n".join(why))
    return why
