"""Ranges of event dates in the tags of runs."""

from __future__ import annotations

from datetime import date

from social_assets.defs.partitions import day_range, range_tags, runs_of_days

JAN = [date(2026, 1, day) for day in range(1, 32)]


def test_unbroken_days_are_one_run() -> None:
    held = [*JAN[2:5], JAN[9], JAN[10]]
    assert runs_of_days(held, JAN[0], JAN[30]) == [(JAN[2], JAN[4]), (JAN[9], JAN[10])]


def test_days_beyond_the_bounds_are_left_out() -> None:
    assert runs_of_days(JAN, JAN[3], JAN[5]) == [(JAN[3], JAN[5])]
    assert runs_of_days([], JAN[3], JAN[5]) == []


def test_a_range_has_both_its_ends() -> None:
    assert day_range(JAN[0], JAN[2]) == JAN[:3]
    assert set(range_tags(JAN[0], JAN[2]).values()) == {"2026-01-01", "2026-01-03"}
