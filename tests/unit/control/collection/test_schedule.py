"""What a person says about a plan, and what it leaves open."""

from __future__ import annotations

from datetime import timedelta

import pytest

from social_assets.control.collection.schedule import (
    CollectionPlan,
    PlanChange,
    Priority,
    interval_text,
    parse_interval,
)

MINUTES = timedelta(minutes=5)
OWN = CollectionPlan(Priority.HIGH, MINUTES, "03:00", "Europe/Berlin")


def test_a_change_leaves_what_it_does_not_say() -> None:
    assert PlanChange().applied_to(OWN) == OWN
    assert PlanChange(refresh_at="04:00").applied_to(OWN) == CollectionPlan(
        Priority.HIGH, MINUTES, "04:00", "Europe/Berlin"
    )


def test_a_priority_ends_an_interval_of_the_accounts_own() -> None:
    assert PlanChange(Priority.LOW).applied_to(OWN).interval == timedelta(days=1)
    assert PlanChange(Priority.LOW, MINUTES).applied_to(OWN).interval == MINUTES
    assert PlanChange(Priority.LOW).or_else(PlanChange(every=MINUTES)) == PlanChange(Priority.LOW)
    assert PlanChange(every=MINUTES).or_else(PlanChange(Priority.LOW)).every == MINUTES


@pytest.mark.parametrize(
    "said",
    [
        {"every": timedelta(0)},
        {"every": timedelta(days=2)},
        {"refresh_at": ""},
        {"refresh_at": "24:00"},
        {"time_zone": ""},
    ],
)
def test_a_change_that_cannot_work_is_refused(said: dict[str, timedelta | str]) -> None:
    with pytest.raises(ValueError, match=r"interval|time of the day|time zone"):
        PlanChange(**said)


@pytest.mark.parametrize("text", ["90s", "5m", "6h", "1d", "61m"])
def test_an_interval_is_written_as_it_is_read(text: str) -> None:
    assert interval_text(parse_interval(text)) == text


@pytest.mark.parametrize("text", ["", "5", "m", "-5m", "1.5h", "5 minutes", "5M", "9999999s"])
def test_what_is_no_interval_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no interval such as 90s"):
        parse_interval(text)
