"""`social-assets report ...`: list, run and schedule reports. Only parses and prints."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from social_assets.cli.home_use import (
    makes_control,
    needs_no_home,
    reads_control,
    reads_warehouse,
)
from social_assets.cli.printing.terminal import FORM, DateParameter, echo, print_rows

if TYPE_CHECKING:
    from resources.settings.home import Home
    from social_assets.control.accounts import Account

_ACCOUNTS = click.option(
    "--accounts",
    multiple=True,
    metavar="PLATFORM:ID,...",
    help="The accounts that it covers, such as instagram:natgeo; repeatable. Default: all.",
)
_FORMAT = click.option(
    "--format", "form", type=click.Choice(["pdf", "csv"]), default="pdf", show_default=True
)


@click.group(short_help="List, run and schedule reports.")
def report() -> None:
    """Reports of a week or month, as PDF or CSV, at once or by a schedule."""


@report.command("list")
@FORM
@needs_no_home
def list_(form: str) -> None:
    """List the reports that are declared."""
    from social_assets.serving.reports.report import reports

    columns = ("name", "period", "title", "description", "owner")
    rows = [(r.name, r.period.word, r.title, r.description, r.owner) for r in reports()]
    print_rows(columns, rows, form)


@report.command()
@click.argument("name")
@_ACCOUNTS
@click.option(
    "--period",
    "day",
    type=DateParameter(),
    help="Any day of the week or month. Default: the last one that is over.",
)
@click.option("--zone", default="UTC", show_default=True, help="Where its days begin.")
@_FORMAT
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path))
@reads_warehouse
def run(
    home: Home,
    *,
    name: str,
    accounts: tuple[str, ...],
    day: date | None,
    zone: str,
    form: str,
    output: Path | None,
) -> None:
    """Make the report NAME now, and write it to a file. Nobody is sent anything."""
    from resources.clickhouse.resource import ClickHouseResource
    from social_assets.control.reports.schedules import ReportFormat
    from social_assets.metrics.ask import ask
    from social_assets.metrics.planner.question import QuestionError
    from social_assets.metrics.planner.read_question import read_zone
    from social_assets.serving.reports.make import make_report, write_report
    from social_assets.serving.reports.period import last_period, period_of
    from social_assets.serving.reports.report import UnknownReportError
    from social_assets.serving.reports.report import report as declared

    del home
    try:
        of = declared(name)
        zone = read_zone(zone).key
    except (UnknownReportError, QuestionError) as error:
        raise click.UsageError(str(error)) from None
    period = (
        period_of(of.period, day, zone) if day else last_period(of.period, datetime.now(UTC), zone)
    )
    with ClickHouseResource().client("social-assets report") as client:
        content, data = make_report(
            of,
            period,
            _read_accounts(accounts),
            ReportFormat(form),
            lambda asked: ask(client, asked),
        )
    if output is None and form == "csv":
        sys.stdout.write(data.decode())
        return
    path = output or Path(f"{of.name}_{period.first.isoformat()}.{form}")
    write_report(path, data)
    echo(f"{path}: {of.title} of {content.covered}, {period.title}")
    if content.is_empty:
        echo("No record of these accounts lies in this period.")


@report.command()
@click.argument("report_name", metavar="REPORT")
@click.option("--name", required=True, help="The schedule's name, such as natgeo-weekly.")
@click.option(
    "--cron", default="0 7 * * 1", show_default=True, help="When: five fields of cron, in --zone."
)
@click.option("--zone", default="UTC", show_default=True, help="A time zone: Europe/Berlin.")
@_ACCOUNTS
@click.option(
    "--to",
    "recipients",
    multiple=True,
    required=True,
    metavar="ADDRESS",
    help="An e-mail address, or secret:NAME for a URL kept by `social-assets secrets`; repeatable.",
)
@_FORMAT
@makes_control
def schedule(
    home: Home,
    *,
    report_name: str,
    name: str,
    cron: str,
    zone: str,
    accounts: tuple[str, ...],
    recipients: tuple[str, ...],
    form: str,
) -> None:
    """Send REPORT to people whenever CRON is due. Each period is sent once to each recipient."""
    from social_assets.control.engine import open_engine
    from social_assets.control.reports.schedules import ReportFormat, ReportPlan, ReportSchedules
    from social_assets.serving.reports.report import UnknownReportError
    from social_assets.serving.reports.report import report as declared

    try:
        declared(report_name)
        read = _read_accounts(accounts)
        plan = ReportPlan(
            name,
            report_name,
            cron,
            recipients,
            frozenset(read) if read else None,
            zone,
            ReportFormat(form),
        )
    except (UnknownReportError, ValueError) as error:
        raise click.UsageError(str(error)) from None
    created = ReportSchedules(open_engine(home)).create(plan)
    echo(f"{created.id}: {report_name} by {cron!r} {zone} to {', '.join(recipients)}")


@report.command()
@FORM
@reads_control
def schedules(home: Home, form: str) -> None:
    """List the schedules."""
    from social_assets.control.engine import open_engine
    from social_assets.control.reports.schedules import ReportSchedules

    columns = ("id", "name", "report", "cron", "zone", "accounts", "to", "format", "enabled")
    rows = [
        (
            each.id,
            each.plan.name,
            each.plan.report,
            each.plan.cron,
            each.plan.time_zone,
            ", ".join(map(str, sorted(each.plan.accounts))) if each.plan.accounts else "all",
            ", ".join(each.plan.recipients),
            each.plan.format.value,
            each.plan.enabled,
        )
        for each in ReportSchedules(open_engine(home)).list()
    ]
    print_rows(columns, rows, form)


@report.command()
@FORM
@reads_control
def deliveries(home: Home, form: str) -> None:
    """List what was sent to whom, and what failed."""
    from social_assets.control.engine import open_engine
    from social_assets.control.reports.deliveries import ReportDeliveries
    from social_assets.control.reports.schedules import ReportSchedules

    engine = open_engine(home)
    columns = ("schedule", "period", "recipient", "state", "attempts", "delivered_at", "error")
    rows = [
        (
            schedule.plan.name,
            each.period,
            each.channel,
            each.state.value,
            each.attempts,
            each.delivered_at,
            each.error,
        )
        for schedule in ReportSchedules(engine).list()
        for each in ReportDeliveries(engine).list(schedule.id)
    ]
    print_rows(columns, rows, form)


@report.command()
@click.argument("schedule_id", metavar="ID")
@reads_control
def unschedule(home: Home, schedule_id: str) -> None:
    """Delete the schedule ID; nothing more is sent of it."""
    from social_assets.control.engine import open_engine
    from social_assets.control.reports.schedules import ReportSchedules

    ReportSchedules(open_engine(home)).delete(schedule_id)
    echo(f"schedule {schedule_id} is deleted")


def _read_accounts(texts: tuple[str, ...]) -> list[Account] | None:
    from social_assets.control.accounts import Account, AccountNameError

    named = [name for text in texts for name in text.split(",") if name]
    try:
        return [Account.parse(name) for name in named] or None
    except AccountNameError as error:
        raise click.UsageError(f"--accounts: {error}") from None
