"""Active alerts of failed asset checks: checks whose latest result is a failure.

Belongs here: reading check results. If a run crashed during a check, its previous result counts,
and the failed run is an alert itself. A partitioned check fails while any partition fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dagster import (
    AssetCheckEvaluation,
    AssetCheckKey,
    AssetCheckSeverity,
    AssetCheckSpec,
    DagsterInstance,
    FloatMetadataValue,
    IntMetadataValue,
    TableMetadataValue,
    TextMetadataValue,
)

from resources.dagster.private import (
    COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES as COMPLETED,
)
from resources.dagster.private import (
    AssetCheckExecutionRecord,
    AssetCheckExecutionRecordStatus,
)
from social_assets.alerts.active import ActiveAlert, FailureKind, Observation, Severity
from social_assets.defs.monitoring.broken_contracts import CHECK as CONTRACT_CHECK

FAILED = AssetCheckExecutionRecordStatus.FAILED
PARTITIONS_SHOWN = 5
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_OBSERVED_DIRECTLY = frozenset({"fresh", "topic_is_drained", "no_file_failed", CONTRACT_CHECK})
"""Checks that are left out here: at every dispatch `stale_streams` reads freshness and lag,
`failed_files` the files, and `broken_contracts` the contracts."""


@dataclass(frozen=True)
class Check:
    """One check of the graph and its asset's owner."""

    spec: AssetCheckSpec
    owner: str


def observe_checks(instance: DagsterInstance, checks: Sequence[Check]) -> Observation:
    """The checks whose latest result is a failure."""
    watched = {c.spec.key: c for c in checks if c.spec.name not in _OBSERVED_DIRECTLY}
    latest = instance.event_log_storage.get_latest_asset_check_execution_by_key(list(watched))
    by_partition = _failed_partitions(
        instance, [key for key, c in watched.items() if c.spec.partitions_def is not None]
    )
    found = []
    for key, check in watched.items():
        record = latest.get(key)
        partitions = by_partition.get(key, [])
        if check.spec.partitions_def is None:
            record = _completed(instance, key, record)
            is_failed = record is not None and record.status is FAILED
        else:
            record = _last_failed(instance, key) if partitions else None
            is_failed = record is not None
        if record is not None and is_failed:
            found.append(_active_alert(check, record, partitions))
    return Observation(tuple(found))


def _completed(
    instance: DagsterInstance, key: AssetCheckKey, record: AssetCheckExecutionRecord | None
) -> AssetCheckExecutionRecord | None:
    """The record, or if its check is running or crashed, the latest record that has a result."""
    if record is None or record.status in COMPLETED:
        return record
    history = instance.event_log_storage.get_asset_check_execution_history(
        key, limit=1, status=set(COMPLETED)
    )
    return history[0] if history else None


def _last_failed(instance: DagsterInstance, key: AssetCheckKey) -> AssetCheckExecutionRecord | None:
    history = instance.event_log_storage.get_asset_check_execution_history(
        key, limit=1, status={FAILED}
    )
    return history[0] if history else None


def _failed_partitions(
    instance: DagsterInstance, keys: Sequence[AssetCheckKey]
) -> dict[AssetCheckKey, list[str]]:
    found: dict[AssetCheckKey, list[str]] = {}
    for info in instance.event_log_storage.get_asset_check_partition_info(list(keys)):
        # The result without a partition is a summary of the days, which are listed here.
        if info.latest_execution_status is FAILED and info.partition_key:
            found.setdefault(info.check_key, []).append(info.partition_key)
    return found


def _active_alert(
    check: Check, record: AssetCheckExecutionRecord, partitions: Sequence[str]
) -> ActiveAlert:
    spec, evaluation = check.spec, record.evaluation
    asset = spec.asset_key.to_user_string()
    severe = evaluation is None or evaluation.severity is AssetCheckSeverity.ERROR
    is_admission = spec.blocking and spec.asset_key.path[0] == "recsys"
    return ActiveAlert(
        key=f"check/{asset}/{spec.name}",
        kind=FailureKind.CHAMPION if is_admission else FailureKind.CHECK,
        severity=Severity.ERROR if severe else Severity.WARN,
        title=(
            f"candidate {asset} is rejected: {spec.name}"
            if is_admission
            else f"check {spec.name} of {asset} failed" + _on(partitions)
        ),
        owner=check.owner,
        detail=_what_it_found(spec, evaluation),
        remedy=_remedy(asset, is_admission, sorted(partitions) or _days_of(evaluation)),
        run_id=record.run_id,
        asset=asset,
        check=spec.name,
    )


def _what_it_found(spec: AssetCheckSpec, evaluation: AssetCheckEvaluation | None) -> str:
    """What the check found: what its description says above a blank line; below is the remedy."""
    described = ((evaluation and evaluation.description) or "").partition("\n\n")[0]
    return " ".join((described or _not_so(spec, evaluation)).split())


def _not_so(spec: AssetCheckSpec, evaluation: AssetCheckEvaluation | None) -> str:
    """A description for a result without one: its figures, and what the check requires."""
    plain = (IntMetadataValue, FloatMetadataValue, TextMetadataValue)
    figures = [
        f"{name.replace('_', ' ')}: {value.value}"
        for name, value in (evaluation.metadata if evaluation else {}).items()
        if isinstance(value, plain)
    ]
    required = f"the check requires: {spec.description}" if spec.description else ""
    return "; ".join(filter(None, [", ".join(figures), required]))


def _remedy(asset: str, is_admission: bool, days: Sequence[str]) -> str:
    """The command to run next; the check's own description may say more."""
    if is_admission:
        return "the champion stays in service; `social-assets recsys evaluate` compares models"
    layer, _, table = asset.partition("/")
    if layer in ("raw", "cleaned", "quarantine"):
        return f"`social-assets quarantine {table}` shows rejected records; " + _again(asset, days)
    return _again(asset, days)


def _days_of(evaluation: AssetCheckEvaluation | None) -> list[str]:
    """The days that a result without partitions names, the worst ones if there are many."""
    metadata = evaluation.metadata if evaluation else {}
    listed = metadata.get("worst_days")
    if isinstance(listed, TableMetadataValue):
        return sorted(str(row.data["event_date"]) for row in listed.records)
    named = [metadata.get(name) for name in ("worst_day", "day")]
    days = [str(each.value) for each in named if isinstance(each, TextMetadataValue)]
    return [day for day in days if _DAY.fullmatch(day)][:1]


def _again(asset: str, days: Sequence[str]) -> str:
    span = f" --from {days[0]} --to {days[-1]}" if days else " --from DAY --to DAY"
    return f"after the cause is corrected: `social-assets backfill {asset}{span}`"


def _on(partitions: Iterable[str]) -> str:
    listed = sorted(partitions)
    if not listed:
        return ""
    more = f" and {len(listed) - PARTITIONS_SHOWN} more" if len(listed) > PARTITIONS_SHOWN else ""
    return f" on {', '.join(listed[:PARTITIONS_SHOWN])}{more}"
