"""Reports days whose rows have changed in a run of another asset or job, with their checks.

Belongs here: what collections and fetches of pictures share. Which events there are belongs to
`changed_days`.
"""

from __future__ import annotations

from collections.abc import Set
from datetime import date

from dagster import AssetExecutionContext, OpExecutionContext

from resources.dagster.recorded_events import record
from social_assets.defs.ingestion.checks.rule_results import report_rules
from social_assets.defs.ingestion.jobs.changed_days import fed_now, materializations
from social_assets.defs.monitoring.invariant_results import report_days
from social_assets.defs.partitions import partition_notice
from social_assets.pipeline.stores import StreamStores


def report_landed(
    context: OpExecutionContext | AssetExecutionContext, stream: StreamStores, days: Set[date]
) -> None:
    """Record the changed days of a stream, and the results of the checks that they change."""
    if not days:
        return
    record(context, materializations(stream, sorted(days), fed_now(stream)))
    record(context, report_rules(stream))
    record(context, report_days(context.instance, stream, sorted(days)))
    if notice := partition_notice(days):
        context.log.warning(notice)
