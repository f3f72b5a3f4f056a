"""Requests a run for each schedule of a report that is due.

People change schedules in the operational store, so they are read at every tick. A request is named
by the schedule and the moment at which it was due: Dagster makes no second run of it, whatever the
cursor says, and a daemon that was away asks for the newest moment that it missed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from dagster import (
    DefaultSensorStatus,
    RunRequest,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from resources.dagster.private import reverse_cron_string_iterator
from resources.settings.home import Home
from social_assets.defs.reports.assets import SCHEDULE_TAG, report_job
from social_assets.serving.reports.period import last_period
from social_assets.serving.reports.report import UnknownReportError, report, reports

NAME = "report_schedules"
INTERVAL_SECONDS = 30


def report_schedules_sensor() -> SensorDefinition:
    """The sensor of all report schedules."""

    @sensor(
        name=NAME,
        jobs=[report_job(each) for each in reports()],
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=DefaultSensorStatus.RUNNING,
        description="Makes and sends reports when their schedules are due",
    )
    def report_schedules(context: SensorEvaluationContext) -> SensorResult | SkipReason:
        requests = list(
            due_requests(Home.from_environment(), datetime.now(UTC), context.log.warning)
        )
        if not requests:
            return SkipReason("no report has a schedule; `social-assets report schedule` makes one")
        return SensorResult(run_requests=requests)

    return report_schedules


def due_requests(home: Home, now: datetime, warn: Callable[[str], object]) -> Iterator[RunRequest]:
    """A request for the newest moment at which each enabled schedule was due.

    The period is the newest one that was over at that moment, in the schedule's time zone. `warn`
    is told of schedules whose report does not exist any more.
    """
    from social_assets.control.location import ControlLocation

    location = ControlLocation.of(home)
    if location.url is None and not location.file.exists():
        return
    from social_assets.control.engine import open_engine
    from social_assets.control.reports.schedules import ReportSchedules

    for schedule in ReportSchedules(open_engine(home)).list(only_enabled=True):
        plan = schedule.plan
        due = next(reverse_cron_string_iterator(now.timestamp(), plan.cron, plan.time_zone))
        if due < schedule.created_at:
            continue
        try:
            of = report(plan.report)
        except UnknownReportError as error:
            warn(
                f"schedule {plan.name} ({schedule.id}) sends nothing: {error}; delete it by "
                f"`social-assets report unschedule {schedule.id}`"
            )
            continue
        period = last_period(of.period, due.astimezone(ZoneInfo(plan.time_zone)), plan.time_zone)
        yield RunRequest(
            run_key=f"{schedule.id}/{due.astimezone(UTC).isoformat()}",
            job_name=f"report_{of.name}",
            partition_key=period.first.isoformat(),
            tags={SCHEDULE_TAG: schedule.id},
        )
