"""The week or month of a report, and the newest one that is over."""

from __future__ import annotations

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from social_assets.metrics.grain import Grain
from social_assets.serving.reports.period import Period, last_period, period_of


def test_a_week_is_from_monday_to_sunday_in_its_zone() -> None:
    week = period_of(Grain.WEEK, date(2026, 3, 29), "Europe/Berlin")
    assert (week.first, week.last) == (date(2026, 3, 23), date(2026, 3, 29))
    assert week.start == datetime(2026, 3, 22, 23, tzinfo=UTC)
    # Clocks go forward on its last day, which has 23 hours.
    assert week.end == datetime(2026, 3, 29, 22, tzinfo=UTC)


def test_a_month_ends_with_its_last_day() -> None:
    assert period_of(Grain.MONTH, date(2024, 2, 10)).last == date(2024, 2, 29)
    assert period_of(Grain.MONTH, date(2026, 12, 31)).last == date(2026, 12, 31)


def test_the_last_period_is_over_where_its_schedule_is() -> None:
    """It is still Sunday in UTC when Monday's report is due in Auckland."""
    at = datetime(2026, 11, 22, 18, tzinfo=UTC)
    assert last_period(Grain.WEEK, at, "Pacific/Auckland").first == date(2026, 11, 16)
    assert last_period(Grain.WEEK, at, "UTC").first == date(2026, 11, 9)


@given(st.dates(date(2014, 1, 1), date(2040, 1, 1)), st.sampled_from([Grain.WEEK, Grain.MONTH]))
def test_periods_follow_each_other_without_a_gap(day: date, grain: Grain) -> None:
    period = period_of(grain, day)
    assert period.first <= day <= period.last
    following = period_of(grain, period.end.date())
    assert following.first > period.last
    assert following.start == period.end
    assert last_period(grain, following.start).first == period.first


def test_its_title_names_each_month_and_year_once() -> None:
    assert Period(date(2026, 11, 23), date(2026, 11, 29)).title == "23 to 29 November 2026"
    assert Period(date(2026, 9, 28), date(2026, 10, 4)).title == "28 September to 4 October 2026"
    assert (
        Period(date(2026, 12, 28), date(2027, 1, 3)).title == "28 December 2026 to 3 January 2027"
    )
