"""Active alerts of contracts that cannot be used: their streams are not loaded.

They are read from the contracts themselves, so that an alert needs no run of a check.
"""

from __future__ import annotations

from social_assets.alerts.active import ActiveAlert, FailureKind, Observation, Severity
from social_assets.contracts.registry import broken_contracts
from social_assets.defs.monitoring.broken_contracts import CHECK, GROUP, RELOAD


def observe_contracts() -> Observation:
    """One alert a contract."""
    return Observation(
        tuple(
            ActiveAlert(
                key=f"contract/{each.path.name}",
                kind=FailureKind.CONTRACT,
                severity=Severity.ERROR,
                title=f"the contract of {each.stream} cannot be used ({each.path.name})",
                detail=f"{each.place}: {each.reason}",
                remedy=f"{each.remedy}; {RELOAD}",
                asset=f"{GROUP}/{each.key}",
                check=CHECK,
            )
            for each in broken_contracts()
        )
    )
