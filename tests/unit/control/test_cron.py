"""Which schedules are refused before they are stored."""

from __future__ import annotations

import pytest

from social_assets.control.reports.cron import CronError, check_cron, check_time_zone


@pytest.mark.parametrize(
    "cron",
    [
        "0 7 * * 1",
        "*/15 0-6,20-23 * * *",
        "0 0 29 2 *",
        "0 0 31 * *",
        "5/10 3 1,15 JAN-mar mon-fri",
        "0 0 31 2 1",  # cron takes the day of month or the weekday
        "0 0 * * 7",
    ],
)
def test_a_schedule_of_cron_is_accepted(cron: str) -> None:
    check_cron(cron)


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("", "has 0 fields; write five"),
        ("0 7 * *", "has 4 fields"),
        ("0 0 7 * * 1", "has 6 fields"),
        ("@weekly", "has 1 fields"),
        ("60 7 * * 1", "the minute '60' is not within 0 to 59"),
        ("0 24 * * 1", "the hour '24' is not within 0 to 23"),
        ("0 7 0 * *", "the day of month '0'"),
        ("0 7 * 13 *", "the month '13'"),
        ("0 7 * * 8", "the day of week '8'"),
        ("0 7 * * fry", "'fry' is neither a number nor a name"),
        ("0 7 * * 5-1", "'5-1' is not within 0 to 7, in order"),
        ("*/0 7 * * *", "is not like"),
        ("1,,2 7 * * *", "is not like"),
        ("٣ 7 * * *", "is not like"),
        ("0 0 30 2 *", "never come"),
        ("0 0 31 4,6,9,11 *", "never come"),
        ("0 7 * * 1; DROP TABLE report_schedules", "fields"),
    ],
)
def test_what_is_no_schedule_is_refused_with_the_field(cron: str, said: str) -> None:
    with pytest.raises(CronError, match=said.replace("*", r"\*")):
        check_cron(cron)


def test_what_dagster_refuses_is_refused() -> None:
    from dagster._utils.schedules import is_valid_cron_string

    for cron in ("0 7 * * 1", "*/15 0-6,20-23 * * *", "0 0 29 2 *", "0 0 * * 7", "0 3 1 jan mon"):
        check_cron(cron)
        assert is_valid_cron_string(cron)


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"])
def test_a_time_zone_is_accepted(name: str) -> None:
    check_time_zone(name)


@pytest.mark.parametrize(
    "name", ["", "CET/CEST", "europe/berlin", "+02:00", "../etc/passwd", "Mars/X"]
)
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    with pytest.raises(CronError, match="such as Europe/Berlin"):
        check_time_zone(name)
