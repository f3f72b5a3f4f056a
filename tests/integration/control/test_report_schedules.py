"""Report schedules and deliveries: what is stored works, and a period is delivered once."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from resources.settings.home import Home
from social_assets.control.accounts import Account
from social_assets.control.engine import open_engine
from social_assets.control.errors import (
    ChangedMeanwhileError,
    DeliveryTakenOverError,
    ReportScheduleNameTakenError,
    UnknownReportScheduleError,
)
from social_assets.control.reports.deliveries import LEASE, DeliveryState, ReportDeliveries
from social_assets.control.reports.schedules import ReportFormat, ReportPlan, ReportSchedules

START = datetime(2026, 3, 2, 7, tzinfo=UTC)
PLAN = ReportPlan(
    name="monday",
    report="weekly_overview",
    cron="0 7 * * 1",
    recipients=("anna@example.org", "secret:team-webhook"),
    accounts=frozenset({Account("Instagram", "0042")}),
    time_zone="Europe/Berlin",
)
KEY = ("2026-W09", "anna@example.org")

SENDER = """
import sys
from resources.settings.home import Home
from social_assets.control.engine import open_engine
from social_assets.control.reports.deliveries import ReportDeliveries

deliveries = ReportDeliveries(open_engine(Home.from_environment()))
for period in range(20):
    delivery = deliveries.claim(sys.argv[1], f"p{period:02}", "anna@example.org")
    if delivery is not None:
        print(delivery.period)
        deliveries.record_sent(delivery)
"""


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


def test_a_schedule_is_read_as_it_was_stored(engine: Engine) -> None:
    schedules = ReportSchedules(engine)
    new = schedules.create(PLAN)
    assert schedules.get(new.id) == new
    everyone = replace(PLAN, name="all", accounts=None, format=ReportFormat.CSV, enabled=False)
    other = schedules.create(everyone)
    assert [each.plan for each in schedules.list()] == [everyone, PLAN]
    assert schedules.list(only_enabled=True) == [new]
    assert schedules.enable(other.id, enabled=True) == schedules.get(other.id)
    assert len(schedules.list(only_enabled=True)) == 2


def test_a_name_is_given_once(engine: Engine) -> None:
    schedules = ReportSchedules(engine)
    schedules.create(PLAN)
    other = schedules.create(replace(PLAN, name="tuesday"))
    with pytest.raises(ReportScheduleNameTakenError, match="'monday'"):
        schedules.create(PLAN)
    with pytest.raises(ReportScheduleNameTakenError, match="'monday'"):
        schedules.change(other.id, 1, PLAN)
    assert schedules.get(other.id) == other


def test_a_change_based_on_an_old_version_is_refused(engine: Engine) -> None:
    schedules = ReportSchedules(engine)
    new = schedules.create(PLAN)
    changed = schedules.change(new.id, 1, replace(PLAN, cron="0 8 * * 1"))
    with pytest.raises(ChangedMeanwhileError, match="version 2 is stored"):
        schedules.change(new.id, 1, replace(PLAN, cron="0 9 * * 1"))
    assert schedules.get(new.id) == changed


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": "Monday morning"}, "the name 'Monday morning'"),
        ({"report": ""}, "the report ''"),
        ({"cron": "every monday"}, "write five"),
        ({"time_zone": "Berlin"}, "no time zone"),
        ({"accounts": frozenset()}, "no account"),
        ({"recipients": ()}, "1 to 100 recipients"),
        ({"recipients": ("a@b", "a@b")}, "each once"),
        ({"recipients": ("mailto://me:hunter2@smtp",)}, "neither an e-mail address"),
        ({"recipients": ("https://hooks.example/hunter2",)}, "neither an e-mail address"),
        ({"recipients": ("a@b\nBcc: c@d",)}, "neither an e-mail address"),
    ],
)
def test_a_plan_that_cannot_work_is_refused_without_showing_a_secret(
    wrong: dict[str, object], said: str
) -> None:
    with pytest.raises(ValueError, match=said) as error:
        replace(PLAN, **wrong)  # type: ignore[arg-type]
    assert "hunter2" not in str(error.value)


def test_a_delivery_is_claimed_once_and_sent_once(engine: Engine) -> None:
    schedule = ReportSchedules(engine).create(PLAN)
    deliveries = ReportDeliveries(engine)
    with ThreadPoolExecutor(8) as threads:
        claimed = list(threads.map(lambda _: deliveries.claim(schedule.id, *KEY), "12345678"))
    (delivery,) = [each for each in claimed if each is not None]
    deliveries.record_sent(delivery)
    assert deliveries.claim(schedule.id, *KEY) is None
    (found,) = deliveries.list(schedule.id)
    assert (found.state, found.attempts) == (DeliveryState.SENT, 1)
    assert found.delivered_at is not None


def test_processes_at_once_send_each_period_once(store_home: Home) -> None:
    engine = open_engine(store_home)
    schedule = ReportSchedules(engine).create(PLAN)
    senders = [
        subprocess.Popen(
            [sys.executable, "-c", SENDER, schedule.id], stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    sent = Counter(line for each in senders for line in each.communicate(timeout=180)[0].split())
    assert [each.returncode for each in senders] == [0, 0, 0]
    assert sent == Counter(f"p{period:02}" for period in range(20))
    assert {d.state for d in ReportDeliveries(engine).list(schedule.id)} == {DeliveryState.SENT}
    engine.dispose()


def test_a_delivery_that_failed_is_tried_again_with_its_key(engine: Engine) -> None:
    schedule = ReportSchedules(engine).create(PLAN)
    deliveries = ReportDeliveries(engine)
    first = deliveries.claim(schedule.id, *KEY)
    assert first is not None
    deliveries.record_failed(first, "550 no such mailbox \x00" + "x" * 5000)
    (failed,) = deliveries.list(schedule.id)
    assert failed.error is not None
    assert failed.error.startswith("550 no such mailbox")
    second = deliveries.claim(schedule.id, *KEY)
    assert second is not None
    assert (second.attempts, second.idempotency_key) == (2, first.idempotency_key)
    deliveries.record_sent(second)
    (sent,) = deliveries.list(schedule.id)
    assert (sent.state, sent.error) == (DeliveryState.SENT, None)


def test_a_sender_that_died_is_followed_by_another_after_its_lease(engine: Engine) -> None:
    clock = Clock()
    schedule = ReportSchedules(engine).create(PLAN)
    deliveries = ReportDeliveries(engine, clock)
    dead = deliveries.claim(schedule.id, *KEY)
    assert dead is not None
    clock.now += LEASE - timedelta(seconds=1)
    assert deliveries.claim(schedule.id, *KEY) is None
    clock.now += timedelta(seconds=1)
    follower = deliveries.claim(schedule.id, *KEY)
    assert follower is not None
    assert follower.idempotency_key == dead.idempotency_key
    # It was not dead, only slow: its outcome is not that of the attempt that runs now.
    with pytest.raises(DeliveryTakenOverError, match=r"attempt 1 .* longer than its lease"):
        deliveries.record_sent(dead)
    deliveries.record_sent(follower)


def test_periods_and_channels_are_deliveries_of_their_own(engine: Engine) -> None:
    schedule = ReportSchedules(engine).create(PLAN)
    deliveries = ReportDeliveries(engine)
    claimed = [
        deliveries.claim(schedule.id, period, channel)
        for period in ("2026-W09", "2026-W10")
        for channel in PLAN.recipients
    ]
    assert len({each.idempotency_key for each in claimed if each}) == 4


def test_nothing_is_delivered_of_a_schedule_that_was_deleted(engine: Engine) -> None:
    schedules, deliveries = ReportSchedules(engine), ReportDeliveries(engine)
    schedule = schedules.create(PLAN)
    claimed = deliveries.claim(schedule.id, *KEY)
    assert claimed is not None
    schedules.delete(schedule.id)
    with pytest.raises(UnknownReportScheduleError, match="nothing is delivered of it"):
        deliveries.claim(schedule.id, *KEY)
    with pytest.raises(DeliveryTakenOverError, match="the schedule was deleted"):
        deliveries.record_sent(claimed)
    assert deliveries.list(schedule.id) == []
    with pytest.raises(UnknownReportScheduleError):
        schedules.get(schedule.id)
