"""Each check of a platform passes when all is well, and fails for each thing that it watches."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from dagster import AssetCheckResult, AssetCheckSeverity

from social_assets.control.collection.credentials import CredentialRecord
from social_assets.control.collection.schedule import CollectionPlan
from social_assets.control.collection.tracked_account import DueEndpoint, TrackedAccount
from social_assets.defs.collection.platform_results import CHECKS
from social_assets.ingest.connectors.quota import QuotaUse
from social_assets.ingest.connectors.registry import connector_of
from social_assets.quality.collection import PlatformState

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
LONG_AGO = AT - timedelta(days=30)
ACCOUNT = TrackedAccount("X", "nasa", "1", CollectionPlan(), None, None, LONG_AGO)
QUOTA = QuotaUse("X", "calls of the app", 10.0, 100.0, False, None)
CREDENTIAL = CredentialRecord(
    "c", "X", "app", None, "app", None, None, AT + timedelta(days=60), LONG_AGO, None, LONG_AGO
)
WELL = PlatformState(AT, [ACCOUNT], [], [QUOTA], [])


def checked(name: str, state: PlatformState) -> AssetCheckResult:
    _, make = CHECKS[name]
    return make(name, connector_of("x"), state)


def late(since: timedelta) -> DueEndpoint:
    return DueEndpoint("X", "nasa", "1", "posts", AT - since, False, CollectionPlan(), AT - since)


@pytest.mark.parametrize("name", CHECKS)
def test_a_platform_that_is_well_passes(name: str) -> None:
    result = checked(name, WELL)
    assert result.passed, result.description


@pytest.mark.parametrize(
    ("name", "changed", "told"),
    [
        ("collected_in_time", {"late": [late(timedelta(hours=1))]}, "1 endpoint late"),
        (
            "accounts_can_be_collected",
            {"accounts": [replace(ACCOUNT, paused_reason="it is private", paused_at=AT)]},
            "1 of 1 account paused",
        ),
        (
            "accounts_can_be_collected",
            {"accounts": [replace(ACCOUNT, problem="HTTP 500")]},
            "1 failed at the last collection",
        ),
        (
            "accounts_can_be_collected",
            {"accounts": [replace(ACCOUNT, account_id=None)]},
            "1 whose id is not found",
        ),
        ("quota_is_left", {"quotas": [replace(QUOTA, used=91.0)]}, "91 of 100 used"),
        (
            "quota_is_left",
            {"quotas": [replace(QUOTA, blocked_until=AT + timedelta(hours=1))]},
            "10 of 100 used",
        ),
        (
            "credentials_work",
            {"ending": [replace(CREDENTIAL, final_expires_at=AT + timedelta(days=2))]},
            "0 credentials without effect, 1 within seven days",
        ),
    ],
)
def test_what_needs_a_person_is_a_warning_that_says_what(
    name: str, changed: dict[str, Any], told: str
) -> None:
    result = checked(name, replace(WELL, **changed))
    assert not result.passed
    assert result.severity is AssetCheckSeverity.WARN
    assert told in str(result.description)
    assert "details" in result.metadata


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("collected_in_time", {"late": [late(timedelta(hours=7)), late(timedelta(hours=1))]}),
        ("credentials_work", {"ending": [replace(CREDENTIAL, revoked_reason="revoked")]}),
        ("credentials_work", {"ending": [replace(CREDENTIAL, final_expires_at=AT)]}),
    ],
)
def test_what_loses_data_is_an_error(name: str, changed: dict[str, Any]) -> None:
    result = checked(name, replace(WELL, **changed))
    assert (result.passed, result.severity) == (False, AssetCheckSeverity.ERROR)


def test_an_account_that_was_just_tracked_has_no_id_yet() -> None:
    new = replace(ACCOUNT, account_id=None, tracked_at=AT - timedelta(minutes=1))
    assert checked("accounts_can_be_collected", replace(WELL, accounts=[new])).passed
