"""A scheduled report arrives at a mail server as PDF, once, whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import Message
from pathlib import Path

import pytest
from dagster import DagsterInstance, ExecuteInProcessResult, RunRequest, materialize

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from sensors.report_schedules import due_requests
from social_assets.control.accounts import Account
from social_assets.control.engine import open_engine
from social_assets.control.reports.deliveries import DeliveryState, ReportDeliveries
from social_assets.control.reports.schedules import (
    ReportFormat,
    ReportPlan,
    ReportSchedule,
    ReportSchedules,
)
from social_assets.control.schema import now
from social_assets.defs.reports.assets import SCHEDULE_TAG, report_assets
from social_assets.serving.reports.deliver import MAIL_URL
from tests.integration.alerts.receivers import Mailbox, mailbox, webhook
from tests.integration.serving.conftest import NOON
from tests.integration.warehouse.conftest import WarehouseUnderTest

MONDAY = NOON.date() - timedelta(days=NOON.weekday())
"""Of the week in which everything happened."""
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def mail(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    with mailbox() as found:
        url = (
            f"mailto://127.0.0.1:{found.port}?from=reports@example.org&smtp=127.0.0.1&mode=insecure"
        )
        monkeypatch.setenv(MAIL_URL, url)
        yield found


@pytest.fixture
def home(loaded: WarehouseUnderTest) -> Iterator[Home]:
    yield loaded.home
    schedules = ReportSchedules(open_engine(loaded.home))
    for each in schedules.list():
        schedules.delete(each.id)


def scheduled(
    home: Home, *recipients: str, cron: str = "0 7 * * 1", **other: object
) -> ReportSchedule:
    """A schedule that a person made long ago."""
    plan = ReportPlan("natgeo", "weekly_overview", "0 7 * * 1", recipients, **other)
    return ReportSchedules(open_engine(home), lambda: LONG_AGO).create(plan)


def made(
    instance: DagsterInstance, schedule: ReportSchedule | None = None
) -> ExecuteInProcessResult:
    """The partition of the week, materialized without retries."""
    (weekly,) = [a for a in report_assets(retries=None) if a.key.path[-1] == "weekly_overview"]
    return materialize(
        [weekly],
        instance=instance,
        partition_key=MONDAY.isoformat(),
        resources={"clickhouse": ClickHouseResource()},
        raise_on_error=False,
    )


def attachment(mail: Message) -> Message:
    (found,) = [part for part in mail.walk() if part.get_filename()]
    return found


def test_a_report_arrives_as_pdf_and_again_is_not_sent(home: Home, mail: Mailbox) -> None:
    schedule = scheduled(home, "anna@example.org", accounts=frozenset({Account("Instagram", "1")}))
    with DagsterInstance.ephemeral() as instance:
        assert made(instance).success
        (received,) = mail.received
        assert received["To"] == "anna@example.org"
        assert "Weekly overview" in received["Subject"]
        file = attachment(received)
        data = file.get_payload(decode=True)
        assert isinstance(data, bytes)
        assert data.startswith(b"%PDF")
        assert file.get_filename() == f"weekly_overview_{MONDAY}_natgeo.pdf"
        again = made(instance)
    assert again.success
    assert len(mail.received) == 1
    (delivery,) = ReportDeliveries(open_engine(home)).list(schedule.id)
    assert (delivery.state, delivery.attempts) == (DeliveryState.SENT, 1)


def test_the_numbers_of_a_csv_are_those_of_its_accounts(home: Home, mail: Mailbox) -> None:
    scheduled(
        home,
        "anna@example.org",
        accounts=frozenset({Account("Instagram", "2")}),
        format=ReportFormat.CSV,
    )
    with DagsterInstance.ephemeral() as instance:
        assert made(instance).success
    data = attachment(mail.received[0]).get_payload(decode=True)
    assert isinstance(data, bytes)
    lines = data.decode().splitlines()
    assert lines[0] == "page,tile,from,group,metric,unit,value,value_before"
    assert "Headline,Headline,,,likes,likes,5.0,0" in lines
    assert any(line.endswith(",p3,engagement,interactions,5.0,") for line in lines)


def test_a_recipient_that_refuses_holds_up_no_other_and_is_tried_again(
    home: Home, mail: Mailbox
) -> None:
    from social_assets.control.secrets.encrypted_secrets import EncryptedSecrets

    with webhook() as hook, DagsterInstance.ephemeral() as instance:
        hook.refuses = True
        EncryptedSecrets(open_engine(home), home).put("hook", hook.url("token1234"))
        schedule = scheduled(home, "secret:hook", "anna@example.org")
        result = made(instance)
        assert not result.success
        assert len(mail.received) == 1
        states = states_of(home, schedule)
        assert states == {
            "anna@example.org": DeliveryState.SENT,
            "secret:hook": DeliveryState.FAILED,
        }
        hook.refuses = False
        assert made(instance).success
        assert len(mail.received) == 1
        (got,) = hook.received
        assert got["attachments"][0]["filename"].endswith("_natgeo.pdf")
    assert set(states_of(home, schedule).values()) == {DeliveryState.SENT}
    events = str([each.message for each in result.all_events])
    assert "token1234" not in events


def states_of(home: Home, schedule: ReportSchedule) -> dict[str, DeliveryState]:
    found = ReportDeliveries(open_engine(home)).list(schedule.id)
    return {each.channel: each.state for each in found}


def test_a_recipient_whose_secret_is_gone_holds_up_no_other(home: Home, mail: Mailbox) -> None:
    schedule = scheduled(home, "secret:gone", "anna@example.org")
    with DagsterInstance.ephemeral() as instance:
        assert not made(instance).success
    assert len(mail.received) == 1
    states = states_of(home, schedule)
    assert states["secret:gone"] is DeliveryState.FAILED
    assert states["anna@example.org"] is DeliveryState.SENT


def test_a_schedule_of_a_report_that_is_gone_is_named_and_holds_up_no_other(home: Home) -> None:
    schedules = ReportSchedules(open_engine(home), lambda: LONG_AGO)
    gone = schedules.create(ReportPlan("a", "no_such", "0 7 * * 1", ("anna@example.org",)))
    scheduled(home, "anna@example.org")
    warnings: list[str] = []
    (left,) = due_requests(home, now(), warnings.append)
    assert left.job_name == "report_weekly_overview"
    (warning,) = warnings
    assert "no_such" in warning
    assert f"report unschedule {gone.id}" in warning


def test_without_a_mail_server_the_error_names_the_setting(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(MAIL_URL, raising=False)
    schedule = scheduled(home, "anna@example.org")
    with DagsterInstance.ephemeral() as instance:
        result = made(instance)
    assert not result.success
    (delivery,) = ReportDeliveries(open_engine(home)).list(schedule.id)
    assert delivery.error is not None
    assert MAIL_URL in delivery.error


def test_a_schedule_made_after_a_period_gets_none_of_it(home: Home, mail: Mailbox) -> None:
    plan = ReportPlan("late", "weekly_overview", "0 7 * * 1", ("anna@example.org",))
    later = datetime.combine(MONDAY + timedelta(days=8), datetime.min.time(), UTC)
    ReportSchedules(open_engine(home), lambda: later).create(plan)
    with DagsterInstance.ephemeral() as instance:
        assert made(instance).success
    assert mail.received == []


def requests(home: Home, at: datetime) -> list[RunRequest]:
    warnings: list[str] = []
    found = list(due_requests(home, at, warnings.append))
    assert warnings == []
    return found


def test_a_schedule_is_due_at_its_hour_in_its_zone_for_the_week_before(home: Home) -> None:
    schedule = scheduled(home, "anna@example.org", time_zone="America/New_York")
    # Monday the 23rd, 7:00 in New York is 12:00 in UTC.
    (before,) = requests(home, datetime(2026, 11, 23, 11, 59, tzinfo=UTC))
    (after,) = requests(home, datetime(2026, 11, 23, 12, 1, tzinfo=UTC))
    assert before.partition_key == "2026-11-09"
    assert after.partition_key == "2026-11-16"
    assert before.run_key != after.run_key
    # A later tick, also after a pause of the daemon, asks for the same run.
    (later,) = requests(home, datetime(2026, 11, 26, 3, tzinfo=UTC))
    assert later.run_key == after.run_key
    assert later.tags[SCHEDULE_TAG] == schedule.id
    assert later.job_name == "report_weekly_overview"


def test_a_new_or_disabled_schedule_is_not_due_for_the_past(home: Home) -> None:
    schedules = ReportSchedules(open_engine(home))
    created = schedules.create(
        ReportPlan("new", "weekly_overview", "0 7 * * 1", ("anna@example.org",))
    )
    assert requests(home, now()) == []
    week_later = created.created_at + timedelta(days=8)
    assert len(requests(home, week_later)) == 1
    schedules.enable(created.id, enabled=False)
    assert requests(home, week_later) == []


def test_a_home_without_an_operational_store_gets_none(tmp_path: Path) -> None:

    home = Home(tmp_path)
    assert requests(home, now()) == []
    assert not home.control.exists()
