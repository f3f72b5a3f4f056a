"""What people are told of a replication slot."""

from __future__ import annotations

import dataclasses

import pytest

from social_assets.ingest.cdc.slot import SlotState, examine_slot

MEBIBYTE = 1024**2
FINE = SlotState(
    name="s",
    wal_status="reserved",
    is_active=True,
    kept_bytes=10 * MEBIBYTE,
    behind_bytes=0,
    limit_bytes=100 * MEBIBYTE,
    safe_bytes=90 * MEBIBYTE,
)


@pytest.mark.parametrize(
    ("changed", "level", "said"),
    [
        ({}, "fine", "keeps 10.0 MiB of the log, of at most 100 MiB"),
        ({"kept_bytes": 51 * MEBIBYTE}, "warn", "social-assets cdc status"),
        ({"kept_bytes": 81 * MEBIBYTE}, "error", "beyond the limit"),
        ({"kept_bytes": 81 * MEBIBYTE, "is_active": False}, "error", "beyond the limit"),
        ({"is_active": False}, "warn", "social-assets cdc start"),
        ({"wal_status": "unreserved"}, "error", "unreserved"),
        ({"wal_status": "lost"}, "error", "social-assets cdc deploy orders --snapshot"),
        ({"limit_bytes": None}, "error", "ALTER SYSTEM SET max_slot_wal_keep_size"),
    ],
)
def test_a_slot_is_named_with_what_to_do(changed: dict[str, object], level: str, said: str) -> None:
    found = examine_slot("orders", "s", dataclasses.replace(FINE, **changed))  # type: ignore[arg-type]
    assert found.level == level
    assert said in found.text


def test_a_slot_that_is_not_there_is_named_with_both_reasons() -> None:
    found = examine_slot("orders", "s", None)
    assert found.level == "error"
    assert "social-assets cdc deploy orders. " in found.text
    assert "social-assets cdc deploy orders --snapshot" in found.text
