"""Active alerts of failed runs: no later run has done their work.

The alert of a failed run ends when later runs have succeeded on all of its assets and days, in one
run or several, of any job. The alert of a run without assets, such as a drain, ends with the next
success of the same job and stream. Deleting the run in the UI also ends its alert.

A load that failed for some of its files alone has no alert of its own: each of the files has one
(`failed_files`), which tells the reason, and ends with that file. Such a load did all else, so it
ends the alerts of earlier ones as a success does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Self

from dagster import (
    AssetCheckKey,
    AssetKey,
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    RunRecord,
    RunsFilter,
)

from resources.settings.variables import hidden
from social_assets.alerts.active import ActiveAlert, FailureKind, Observation, Severity
from social_assets.defs.partitions import days_of_run
from social_assets.defs.stream_tag import FAILED_FILES_TAG, STREAM_TAG

LOOK_BACK = timedelta(days=30)
"""Older failed runs are read only if a channel was told about them."""

MOST_RUNS = 1000
REASON_CHARACTERS = 300

OwnerOf = Callable[[DagsterRun], str]
JobAssets = Mapping[str, frozenset[AssetKey]]
"""Job name -> the assets that its runs make if they select none; empty for an op job."""

_FORMER_TAG = "stream"
"""The former name of STREAM_TAG on runs of drains; homes still hold such runs."""


@dataclass(frozen=True)
class Work:
    """What a run was requested to do."""

    assets: frozenset[AssetKey]
    checks: frozenset[AssetCheckKey]
    days: frozenset[date] | None

    @classmethod
    def of(cls, run: DagsterRun, job_assets: JobAssets) -> Self:
        """Read it from the run's selections and tags, or else from its job."""
        is_selective = bool(run.asset_selection or run.asset_check_selection)
        assets = frozenset(run.asset_selection or ())
        days = days_of_run(run)
        return cls(
            assets if is_selective else job_assets.get(run.job_name, frozenset()),
            frozenset(run.asset_check_selection or ()) if not assets else frozenset(),
            None if days is None else frozenset(days),
        )

    def includes(self, other: Work) -> bool:
        """Whether this work makes all assets and checks of the other; days are not compared."""
        checked = {key for key in other.checks if key.asset_key in self.assets} | self.checks
        return self.assets >= other.assets and checked >= other.checks


def observe_runs(
    instance: DagsterInstance,
    told_runs: Sequence[str],
    job_assets: JobAssets,
    owner_of: OwnerOf,
) -> Observation:
    """Failed runs whose work no later run has done. Channels were told about `told_runs`."""
    found = _failed(instance, told_runs)
    failed = [record for record in found if not _is_of_files(record)]
    if not failed:
        return Observation(())
    later = _successes(instance, failed, job_assets) + [r for r in found if _is_of_files(r)]
    active: dict[str, ActiveAlert] = {}
    # Newest first: one alert represents all older failures of the same work.
    for record in sorted(failed, key=lambda each: each.create_timestamp, reverse=True):
        run = record.dagster_run
        if not _is_made_good(record, later, job_assets):
            alert = _active_alert(run, owner_of(run))
            active.setdefault(alert.key, alert)
    return Observation(tuple(active.values()))


def stream_of(run: DagsterRun) -> str:
    """The stream that a run's tags name, "" if none."""
    return run.tags.get(STREAM_TAG) or run.tags.get(_FORMER_TAG) or ""


def reason_of(instance: DagsterInstance, run_id: str) -> str:
    """Why a run failed: the message of its first failed step, in one line."""
    wanted = {DagsterEventType.STEP_FAILURE, DagsterEventType.RUN_FAILURE}
    events = [
        entry.dagster_event
        for entry in instance.all_logs(run_id, of_type=wanted)
        if entry.dagster_event is not None
    ]
    steps = [e for e in events if e.event_type == DagsterEventType.STEP_FAILURE]
    if not steps:
        return _short(events[0].message or "" if events else "")
    failed = steps[0].step_failure_data
    error = failed.error
    while error is not None and error.cause is not None:
        error = error.cause
    described = failed.user_failure_data and failed.user_failure_data.description
    text = described or (error and error.message) or "failed"
    return _short(f"{(steps[0].step_key or '').replace('__', '/')}: {text}")


def _is_of_files(failed: RunRecord) -> bool:
    """Whether a run failed for some of its files alone."""
    return FAILED_FILES_TAG in failed.dagster_run.tags


def _failed(instance: DagsterInstance, told_runs: Sequence[str]) -> list[RunRecord]:
    failure = [DagsterRunStatus.FAILURE]
    filters = [RunsFilter(statuses=failure, updated_after=datetime.now(UTC) - LOOK_BACK)]
    filters += [RunsFilter(statuses=failure, run_ids=list(told_runs))] if told_runs else []
    found = {
        record.dagster_run.run_id: record
        for runs_filter in filters
        for record in instance.get_run_records(runs_filter, limit=MOST_RUNS)
    }
    return list(found.values())


def _successes(
    instance: DagsterInstance, failed: Sequence[RunRecord], job_assets: JobAssets
) -> list[RunRecord]:
    """Successful runs that may have done the work of a failed one, by job.

    Read by job, because there are many more drains than other runs.
    """
    jobs = {record.dagster_run.job_name for record in failed}
    if any(job_assets.get(job) for job in jobs):
        jobs |= {job for job, assets in job_assets.items() if assets}
    since = min(record.create_timestamp for record in failed)
    success = [DagsterRunStatus.SUCCESS]
    return [
        record
        for job in sorted(jobs)
        for record in instance.get_run_records(
            RunsFilter(job_name=job, statuses=success, created_after=since), limit=MOST_RUNS
        )
    ]


def _is_made_good(failed: RunRecord, successes: Sequence[RunRecord], job_assets: JobAssets) -> bool:
    run = failed.dagster_run
    work = Work.of(run, job_assets)
    later = [s.dagster_run for s in successes if s.create_timestamp > failed.create_timestamp]
    if not work.assets and not work.checks:
        same = (run.job_name, stream_of(run))
        return any((each.job_name, stream_of(each)) == same for each in later)
    done = [Work.of(each, job_assets) for each in later]
    days = [each.days for each in done if each.includes(work)]
    if work.days is None:
        return bool(days)
    # A run without days does not make a day of a partitioned job.
    return frozenset().union(*(each or () for each in days)) >= work.days


def _active_alert(run: DagsterRun, owner: str) -> ActiveAlert:
    stream, days = stream_of(run), days_of_run(run)
    selected = _selected(run.asset_selection)
    span = "" if not days else (f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]}")
    is_named = not run.job_name.startswith("__")
    what = run.job_name if is_named else f"materialization of {selected}"
    about = f" of {stream}" if stream and stream not in run.job_name else ""
    return ActiveAlert(
        key="/".join(filter(None, ("run", run.job_name, stream, selected, span))),
        kind=FailureKind.RUN,
        severity=Severity.ERROR,
        title=f"{what}{about} failed" + (f" for {span}" if span else ""),
        owner=owner,
        remedy=_remedy(run, stream, days),
        run_id=run.run_id,
    )


def _remedy(run: DagsterRun, stream: str, days: Sequence[date] | None) -> str:
    """The command that repeats the work after the cause is corrected."""
    if days:
        assets = "".join(f" {key.to_user_string()}" for key in sorted(run.asset_selection or ()))
        again = f"`social-assets backfill{assets} --from {days[0]} --to {days[-1]}`"
        return f"after the cause is corrected: {again}"
    if run.job_name == "load_files":
        name = stream or "STREAM"
        return (
            f"correct the files (those of landing/{name} are now in landing/{name}/failed), then "
            f"`social-assets load {name} FILE`"
        )
    if run.job_name.startswith("drain_"):
        return "`social-assets doctor` tries Kafka and ClickHouse; the sensor starts the next drain"
    return "`social-assets doctor` tries every service; then run the job again in the Dagster UI"


def _selected(keys: Iterable[AssetKey] | None) -> str:
    return ", ".join(sorted(key.to_user_string() for key in keys or ()))


def _short(text: str) -> str:
    line = hidden(" ".join(text.split()))
    return line if len(line) <= REASON_CHARACTERS else line[: REASON_CHARACTERS - 1] + "…"
