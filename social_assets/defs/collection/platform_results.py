"""The results of a platform's checks: whether it is collected in time, and can be.

Belongs here: the texts and severities of four checks. What they compare is found by
`quality.collection`; no check asks a platform. The asset checks are in `platform_checks`; each
collection reports the same results at its end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dagster import (
    AssetCheckEvaluation,
    AssetCheckResult,
    AssetCheckSeverity,
    AssetKey,
    MetadataValue,
    TableRecord,
)

from resources.settings.home import Home
from social_assets.defs.collection.platform_assets import platform_key
from social_assets.ingest.connectors.connector import Connector
from social_assets.quality.counted import counted

if TYPE_CHECKING:
    from social_assets.quality.collection import PlatformState

LITTLE_LEFT = 0.1
"""A limit with less than this share left is reported."""
_SHOWN = 20
_NO_ID = "no credential of the platform may look it up, or the platform did not answer"
_Row = Mapping[str, str | float]


def report_platform(connector: Connector) -> list[AssetCheckEvaluation]:
    """The results of a platform's checks, for a run that has collected from it."""
    return [
        AssetCheckEvaluation(
            asset_key=AssetKey(platform_key(connector.platform)),
            check_name=str(each.check_name),
            passed=each.passed,
            severity=each.severity,
            description=each.description,
            metadata=each.metadata,
        )
        for each in platform_results(connector)
    ]


def platform_results(connector: Connector) -> list[AssetCheckResult]:
    """The results of a platform's checks now."""
    # Imported here: a code location that loads its checks needs no operational store.
    from social_assets.control.location import ControlLocation

    home = Home.from_environment()
    location = ControlLocation.of(home)
    if location.url is None and not location.file.exists():
        return [_result(name, connector, True, "no account is tracked") for name in CHECKS]
    from social_assets.control.engine import open_engine
    from social_assets.quality.collection import platform_state

    engine = open_engine(home)
    try:
        state = platform_state(home, engine, connector, datetime.now(UTC))
    finally:
        engine.dispose()
    return [make(name, connector, state) for name, (_, make) in CHECKS.items()]


def _in_time(name: str, connector: Connector, state: PlatformState) -> AssetCheckResult:
    from social_assets.quality.collection import VERY_LATE

    if not state.late:
        told = f"nothing of {counted(len(state.accounts), 'account')} is late"
        return _result(name, connector, True, told)
    oldest = state.at - state.late[0].due_at
    told = (
        f"{counted(len(state.late), 'endpoint')} late, one since {state.late[0].due_at:%F %H:%M}; "
        f"see the runs of collect_{connector.platform.lower()}, and whether the sensor "
        f"{connector.platform.lower()}_collection is on"
    )
    rows = [
        {"account": each.name, "endpoint": each.endpoint, "due": f"{each.due_at:%F %T}"}
        for each in state.late
    ]
    return _result(name, connector, False, told, rows, severe=oldest > VERY_LATE)


def _can_be_collected(name: str, connector: Connector, state: PlatformState) -> AssetCheckResult:
    found = [
        *((each, "paused", each.paused_reason) for each in state.paused),
        *((each, "tried again", each.problem) for each in state.failing),
        *((each, "its id is not found", _NO_ID) for each in state.unknown),
    ]
    rows = [{"account": a.name, "state": is_, "problem": why or ""} for a, is_, why in found]
    told = (
        f"{len(state.paused):,} of {counted(len(state.accounts), 'account')} paused, "
        f"{len(state.failing):,} failed at the last collection, {len(state.unknown):,} whose id is "
        "not found; `social-assets accounts` shows them"
    )
    return _result(name, connector, not rows, told, rows)


def _quota_is_left(name: str, connector: Connector, state: PlatformState) -> AssetCheckResult:
    used = [each for each in state.quotas if each.left < LITTLE_LEFT or each.blocked_until]
    rows: list[_Row] = [
        {"limit": each.bucket, "used": round(each.used, 2), "most": each.most}
        for each in state.quotas
    ]
    if not used:
        told = f"{counted(len(state.quotas), 'limit')} counted, each with more than a tenth left"
        return _result(name, connector, True, told, rows)
    told = (
        f"{used[0].bucket}: {used[0].used:g} of {used[0].most:g} used; collect fewer accounts or "
        "less often, add credentials, or raise the plan at the platform"
    )
    return _result(name, connector, False, told, rows)


def _credentials_work(name: str, connector: Connector, state: PlatformState) -> AssetCheckResult:
    from social_assets.quality.collection import has_ended

    rows = [
        {
            "credential": each.name,
            "ends": f"{each.final_expires_at:%F %H:%M}" if each.final_expires_at else "",
            "problem": each.revoked_reason or "",
        }
        for each in state.ending
    ]
    if not rows:
        return _result(name, connector, True, "no credential ends within seven days")
    ended = sum(has_ended(each, state.at) for each in state.ending)
    told = (
        f"{counted(ended, 'credential')} without effect, {len(rows) - ended:,} within seven days; "
        "let the owner authorize the app again, then `social-assets credentials add`"
    )
    return _result(name, connector, False, told, rows, severe=ended > 0)


def _result(
    name: str,
    connector: Connector,
    passed: bool,
    description: str,
    rows: Sequence[_Row] = (),
    *,
    severe: bool = False,
) -> AssetCheckResult:
    records = [TableRecord(dict(row)) for row in rows[:_SHOWN]]
    return AssetCheckResult(
        passed=passed,
        asset_key=platform_key(connector.platform),
        check_name=name,
        severity=AssetCheckSeverity.ERROR if severe else AssetCheckSeverity.WARN,
        description=description,
        metadata={"details": MetadataValue.table(records)} if records else {},
    )


_Make = Callable[[str, Connector, "PlatformState"], AssetCheckResult]
CHECKS: Mapping[str, tuple[str, _Make]] = {
    "collected_in_time": (
        "No endpoint of a tracked account has been due for more than 15 minutes (error: 6 hours)",
        _in_time,
    ),
    "accounts_can_be_collected": (
        "No tracked account is paused, failed at its last collection, or is without its id",
        _can_be_collected,
    ),
    "quota_is_left": (
        "Each limit of the platform has more than a tenth left, and no credential is blocked",
        _quota_is_left,
    ),
    "credentials_work": (
        "No credential is revoked or has ended (error), or ends within seven days",
        _credentials_work,
    ),
}
