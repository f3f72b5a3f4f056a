"""`reports/<name>`: the report of a week or month, made and sent to whoever has a schedule for it.

Belongs here: partitions, upstream tables, and what is shown of a run. What a report says belongs to
`serving.reports`, who gets it to the operational store.
"""

from datetime import date
from functools import cache

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    AssetSelection,
    Backoff,
    Failure,
    Jitter,
    MaterializeResult,
    MonthlyPartitionsDefinition,
    RetryPolicy,
    TimeWindowPartitionsDefinition,
    WeeklyPartitionsDefinition,
    asset,
    define_asset_job,
    in_process_executor,
)
from dagster import MetadataValue as Value

from resources.clickhouse.resource import ClickHouseResource
from resources.dagster.private import UnresolvedAssetJobDefinition
from resources.settings.home import Home
from social_assets.defs.partitions import first_partition
from social_assets.defs.reports.dashboards import asset_with_rows
from social_assets.metrics.grain import Grain
from social_assets.metrics.registry import subject_of
from social_assets.serving.reports.period import period_of
from social_assets.serving.reports.report import Report, reports

GROUP = "reports"
SCHEDULE_TAG = "social_assets/report_schedule"
"""The id of the schedule that a run is for; a run without it is for all of its report."""
COMMENT = "social-assets reports"


RETRIES = RetryPolicy(max_retries=3, delay=60, backoff=Backoff.EXPONENTIAL, jitter=Jitter.FULL)
"""A mail server that is away for some minutes costs nobody their report."""


def report_assets(retries: RetryPolicy | None = RETRIES) -> list[AssetsDefinition]:
    """One asset a report."""
    return [_asset(each, retries) for each in reports()]


@cache
def report_job(of: Report) -> UnresolvedAssetJobDefinition:
    """The job that makes and sends one partition, made once: the sensor names the same one."""
    return define_asset_job(
        f"report_{of.name}",
        AssetSelection.assets([GROUP, of.name]),
        executor_def=in_process_executor,
        description=f"Makes {of.title.lower()} of a {of.period.word} and sends it",
    )


def partitions_of(of: Report) -> TimeWindowPartitionsDefinition:
    """Weeks from Monday, or months. The one that has begun is there, for zones east of UTC."""
    first = period_of(of.period, first_partition()).first
    if of.period is Grain.WEEK:
        return WeeklyPartitionsDefinition(first.isoformat(), day_offset=1, end_offset=1)
    return MonthlyPartitionsDefinition(first.isoformat(), end_offset=1)


def _asset(of: Report, retries: RetryPolicy | None) -> AssetsDefinition:
    @asset(
        key=[GROUP, of.name],
        group_name=GROUP,
        owners=[of.owner],
        kinds={"pdf", "clickhouse"},
        partitions_def=partitions_of(of),
        deps=_tables(of),
        retry_policy=retries,
        description=(
            f"{of.description}. One partition a {of.period.word}, named by its first day. "
            "Materializing a partition sends it to each recipient of its schedules who has not got "
            "it (`social-assets report schedule`)"
        ),
    )
    def report_asset(
        context: AssetExecutionContext, clickhouse: ClickHouseResource
    ) -> MaterializeResult[None]:
        return _made(context, clickhouse, of)

    return report_asset


def _made(
    context: AssetExecutionContext, clickhouse: ClickHouseResource, of: Report
) -> MaterializeResult[None]:
    # Imported here: SQLAlchemy, which no other asset needs.
    from social_assets.control.engine import open_engine
    from social_assets.control.reports.schedules import ReportSchedules
    from social_assets.metrics.ask import ask
    from social_assets.serving.reports.make import send_period

    home = Home.from_environment()
    period = period_of(of.period, date.fromisoformat(context.partition_key))
    engine = open_engine(home)
    wanted = context.run.tags.get(SCHEDULE_TAG)
    schedules = [
        each
        for each in ReportSchedules(engine).list(only_enabled=True)
        if each.plan.report == of.name
        and (wanted is None or each.id == wanted)
        # A backfill does not send people the periods before they had a schedule.
        and each.created_at < period_of(of.period, period.first, each.plan.time_zone).end
    ]
    sent = []
    with clickhouse.client(COMMENT) as client:
        for schedule in schedules:
            sent += send_period(schedule, period, home, engine, lambda asked: ask(client, asked))
    for each in sent:
        context.log.info(f"{each.schedule} to {each.recipient}: {each.outcome} {each.error}")
    failed = [each for each in sent if each.outcome == "failed"]
    if failed:
        raise Failure(
            f"{len(failed)} of {len(sent)} recipients did not get {of.name} of {period.title}: "
            + "; ".join(f"{each.recipient}: {each.error}" for each in failed[:5])
            + ". The run tries again; `social-assets report deliveries` shows all"
        )
    rows = "\n".join(f"| {e.schedule} | {e.recipient} | {e.outcome} |" for e in sent)
    return MaterializeResult(
        metadata={
            "period": period.title,
            "schedules": len(schedules),
            "sent": sum(each.outcome == "sent" for each in sent),
            "deliveries": Value.md(f"| schedule | recipient | outcome |\n|---|---|---|\n{rows}"),
        }
    )


def _tables(of: Report) -> list[AssetKey]:
    """The rollups that the report may read, with all days of the period that they have."""
    subjects = dict.fromkeys(subject_of(name) for name in of.metrics)
    found = (asset_with_rows(each.table) for subject in subjects for each in subject.rollups)
    return list(dict.fromkeys(found))
