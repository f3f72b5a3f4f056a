"""Starts Dagster runs from the command line, in this process, and shows their progress.

Belongs here: starting a run, and its result. What the runs do belongs to the assets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from dagster import (
    AssetCheckEvaluation,
    AssetCheckSeverity,
    AssetKey,
    DagsterEvent,
    DagsterEventType,
    DagsterInstance,
    EventLogEntry,
    RunConfig,
    RunsFilter,
)

from resources.dagster.private import MAX_RETRIES_TAG, make_new_run_id
from resources.settings.home import Home
from social_assets.defs.collection.collect_job import (
    PLATFORM_TAG,
    collect_config,
    collect_job_name,
)
from social_assets.defs.collection.platform_assets import platform_key
from social_assets.defs.forecasts.engagement import JOB_NAME as FORECAST
from social_assets.defs.ingestion.jobs.load_job import JOB_NAME as LOAD
from social_assets.defs.ingestion.jobs.load_job import run_config
from social_assets.defs.ingestion.jobs.unload_job import JOB_NAME as UNLOAD
from social_assets.defs.ingestion.jobs.unload_job import unload_config
from social_assets.defs.maintenance.rebuild_jobs import REBUILD, RECOMMEND, TRAIN_TEXTS
from social_assets.defs.media.media_keys import FETCH_MEDIA
from social_assets.defs.monitoring.verification import VERIFY_PARTITIONS
from social_assets.defs.partitions import range_tags
from social_assets.defs.privacy.deletions import JOB_NAME as FORGET
from social_assets.defs.stream_tag import STREAM_TAG
from social_assets.operate.runs.backfill_plan import made_together
from social_assets.operate.runs.cli_run_lock import cli_run_lock
from social_assets.operate.runs.failures import RunFailedError
from social_assets.operate.runs.instance import open_instance
from social_assets.operate.runs.locations import Location
from social_assets.operate.runs.origin import give_origin
from social_assets.pipeline.files.allowed_files import granted

if TYPE_CHECKING:
    from dagster import ExecuteInProcessResult

    from social_assets.ingest.connectors.connector import Connector

Progress = Callable[[str], None]

_QUIET = {"console": {"config": {"log_level": "CRITICAL"}}}
_NOT_RETRIED = {MAX_RETRIES_TAG: "0"}
"""Not retried by Dagster: the person at the command line sees the failure, and can repeat it."""

_SHOWN = {DagsterEventType.STEP_SUCCESS: "done", DagsterEventType.STEP_FAILURE: "FAILED"}


@dataclass(frozen=True)
class RunReport:
    """The result of a run."""

    run_id: str
    materialized: int
    checks: tuple[AssetCheckEvaluation, ...] = field(repr=False)

    @property
    def check_counts(self) -> Counter[str]:
        """How many checks passed, warned, failed."""
        return Counter(map(_outcome, self.checks))

    def as_json(self) -> dict[str, object]:
        """The result for programs."""
        return {
            "run_id": self.run_id,
            "materialized": self.materialized,
            "checks": dict(self.check_counts),
            "failed_checks": self.failed_checks,
        }

    def __str__(self) -> str:
        counts = ", ".join(f"{n} {outcome}" for outcome, n in sorted(self.check_counts.items()))
        counted = f"{self.materialized} materializations; checks: {counts or 'none'}"
        return "\n  failed: ".join([counted, *self.failed_checks])

    @property
    def failed_checks(self) -> list[str]:
        """The checks that failed, on any day: `cleaned/posts fresh`."""
        failed = (check for check in self.checks if _outcome(check) == "failed")
        return sorted({f"{each.asset_key.to_user_string()} {each.check_name}" for each in failed})


def _outcome(check: AssetCheckEvaluation) -> str:
    if check.passed:
        return "passed"
    return "warned" if check.severity == AssetCheckSeverity.WARN else "failed"


def load_files(
    home: Home,
    stream: str,
    files: Sequence[Path],
    on: date | None,
    progress: Progress,
    *,
    replace: bool = False,
) -> RunReport:
    """Take files through every step of a stream. Raises RunFailedError if one could not be read."""
    config = run_config(stream, [file.absolute() for file in files], on, replace=replace)
    with granted(files):
        return _run(
            home, Location.STREAMING, LOAD, progress, config=config, tags={STREAM_TAG: stream}
        )


@dataclass(frozen=True)
class CollectRun:
    """The result of a run that collected: `counts` are chains, pages, records, stopped_early."""

    run_id: str
    counts: Mapping[str, int]


def collect(home: Home, connector: Connector, seconds: float, progress: Progress) -> CollectRun:
    """Collect what is due of a platform. Raises RunFailedError."""
    job = collect_job_name(connector)
    report = _run(
        home,
        Location.STREAMING,
        job,
        progress,
        config=collect_config(connector, seconds),
        tags={PLATFORM_TAG: connector.platform},
    )
    key = AssetKey(platform_key(connector.platform))
    with open_instance(home) as instance:
        # A run of the sensor may have followed already.
        newest = instance.fetch_observations(key, limit=20).records
    (observed,) = (each.asset_observation for each in newest if each.run_id == report.run_id)
    found = observed.metadata if observed else {}
    names = ("chains", "pages", "records", "stopped_early")
    return CollectRun(report.run_id, {name: int(str(found[name].value)) for name in names})


def unload_batches(
    home: Home, stream: str, batches: Sequence[str], progress: Progress
) -> RunReport:
    """Unload batches of a stream. Raises RunFailedError."""
    config = unload_config(stream, batches)
    return _run(
        home, Location.STREAMING, UNLOAD, progress, config=config, tags={STREAM_TAG: stream}
    )


def rebuild_days(
    home: Home,
    first: date,
    last: date,
    assets: Sequence[str],
    progress: Progress,
    *,
    then: Mapping[str, Callable[[], None]] | None = None,
) -> RunReport:
    """Rebuild a range of days, of all layers or only of the named assets (`star/fact_engagement`).

    `then` has functions to call when the step of that name is done.
    """
    selected = sorted(made_together(assets)) if assets else None
    tags = range_tags(first, last)
    return _run(home, Location.BATCH, REBUILD, progress, tags=tags, selected=selected, then=then)


def fetch_media(home: Home, progress: Progress) -> RunReport:
    """Fetch the pictures that are wanted now. Raises RunFailedError."""
    return _run(home, Location.BATCH, FETCH_MEDIA, progress)


def recommend(home: Home, progress: Progress) -> RunReport:
    """Train and evaluate the models, publish the champion."""
    return _run(home, Location.BATCH, RECOMMEND, progress)


def run_text_training(home: Home, progress: Progress) -> RunReport:
    """Train a text model on the labelled texts, decide on the champion. Raises RunFailedError."""
    return _run(home, Location.BATCH, TRAIN_TEXTS, progress)


def run_forecasts(home: Home, progress: Progress) -> RunReport:
    """Forecast engagement by what the warehouse has now. Raises RunFailedError."""
    return _run(home, Location.BATCH, FORECAST, progress)


def forget_persons(home: Home, progress: Progress) -> RunReport:
    """Forget the persons of all pending requests. Raises RunFailedError."""
    return _run(home, Location.BATCH, FORGET, progress)


def verify_partitions(home: Home, progress: Progress) -> RunReport:
    """Check for partitions that failed, or that are older than their sources."""
    return _run(home, Location.BATCH, VERIFY_PARTITIONS, progress)


def newest_report(home: Home, job: str) -> RunReport:
    """The result of a job's latest run, in any process; LookupError if there is none."""
    with open_instance(home) as instance:
        runs = instance.get_runs(RunsFilter(job_name=job), limit=1)
        if not runs:
            raise LookupError(f"job {job} has no run in {home.path}")
        (run,) = runs
        made, checked = (
            instance.all_logs(run.run_id, of_type=kind)
            for kind in (
                DagsterEventType.ASSET_MATERIALIZATION,
                DagsterEventType.ASSET_CHECK_EVALUATION,
            )
        )
    checks = tuple(
        each.dagster_event.asset_check_evaluation_data for each in checked if each.dagster_event
    )
    return RunReport(run_id=run.run_id, materialized=len(made), checks=checks)


def _run(
    home: Home,
    location: Location,
    job: str,
    progress: Progress,
    *,
    config: RunConfig | None = None,
    tags: dict[str, str] | None = None,
    selected: Sequence[AssetKey] | None = None,
    then: Mapping[str, Callable[[], None]] | None = None,
) -> RunReport:
    run_id = make_new_run_id()
    with open_instance(home) as instance:
        give_origin(instance, location, job)
        _follow(instance, run_id, progress, then or {})
        definition = location.definitions().resolve_job_def(job)
        with cli_run_lock(home, instance, run_id):
            result = definition.execute_in_process(
                run_config=RunConfig(ops=config.ops if config else {}, loggers=_QUIET),
                instance=instance,
                tags={**(tags or {}), **_NOT_RETRIED},
                run_id=run_id,
                raise_on_error=False,
                asset_selection=selected,
            )
    if not result.success:
        raise RunFailedError(_failures(result))
    return RunReport(
        run_id=run_id,
        materialized=len(result.get_asset_materialization_events()),
        checks=tuple(result.get_asset_check_evaluations()),
    )


def _follow(
    instance: DagsterInstance,
    run_id: str,
    progress: Progress,
    then: Mapping[str, Callable[[], None]],
) -> None:
    """Say of each step that it is done, as it is done, and call what was waiting for it.

    A run whose command is interrupted is being canceled, as one that is ended in the UI: it is no
    failure that an alert tells.
    """

    def tell(event: EventLogEntry) -> None:
        what = event.dagster_event
        if what is not None and _is_interrupted(what) and (run := instance.get_run_by_id(run_id)):
            instance.report_run_canceling(run)
            progress(f"{(event.step_key or '').replace('__', '/')}: interrupted")
            return
        if what is not None and what.event_type in _SHOWN:
            name = (event.step_key or "").replace("__", "/")
            seconds = getattr(what.event_specific_data, "duration_ms", 0) / 1000
            took = f" ({seconds:.1f} s)" if seconds else ""
            progress(f"{name}: {_SHOWN[what.event_type]}{took}")
            if what.event_type == DagsterEventType.STEP_SUCCESS and name in then:
                then[name]()

    instance.add_event_listener(run_id, tell)


def _is_interrupted(event: DagsterEvent) -> bool:
    if event.event_type != DagsterEventType.STEP_FAILURE:
        return False
    source = event.step_failure_data.error_source
    return source is not None and source.name == "INTERRUPT"


def _failures(result: ExecuteInProcessResult) -> str:
    """The message of each failed step, on one line each, without traces."""
    lines = []
    for event in result.get_step_failure_events():
        error = event.step_failure_data.error
        # Take the step's error below Dagster's: it says what was tried.
        error = (error and error.cause) or error
        reason = event.step_failure_data.user_failure_data
        text = (reason and reason.description) or (error and error.message) or "failed"
        lines.append(f"{event.step_key}: {' '.join(text.split())}")
    return "\n".join(lines) or f"run {result.run_id} failed; see it in the UI"
