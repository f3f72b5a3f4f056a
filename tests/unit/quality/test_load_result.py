"""When a load counts as failed, and what it says then."""

from __future__ import annotations

from datetime import date

from social_assets.contracts.posts import CONTRACT
from social_assets.quality.load_result import LoadedRecords, Rejected, failure_of_load
from social_assets.transform.validate import TOTALS

DAY = date(2026, 1, 1)


def rejected(rule: str, records: int) -> Rejected:
    return Rejected(DAY, rule, records, "x", "a.csv", 3)


def test_a_load_of_which_too_much_is_rejected_names_the_reasons_and_the_command() -> None:
    why, *reasons, command = failure_of_load(
        CONTRACT, LoadedRecords(100, 90, 10), [rejected("a", 3), rejected("b", 7)]
    )
    assert why.startswith("10 of 100 records of posts are rejected (10.0%)")
    assert [line.split(":")[0].strip() for line in reasons] == ["b", "a"]
    assert command.endswith("social-assets quarantine posts --limit 20")


def test_rows_of_totals_are_no_failure() -> None:
    totals = [rejected(TOTALS, 1)]
    assert failure_of_load(CONTRACT, LoadedRecords(4, 3, 1), totals) == []
    assert failure_of_load(CONTRACT, LoadedRecords(1, 0, 1), totals) == []
    assert failure_of_load(CONTRACT, LoadedRecords(4, 2, 2), [*totals, rejected("a", 1)]) != []
