"""Active alerts: failures that last until something changes.

Belongs here: the values. The modules that `observe` calls create them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Severity(StrEnum):
    """How bad a failure is. Asset checks and the routing variables use the same names."""

    WARN = "WARN"
    ERROR = "ERROR"

    def exceeds(self, other: Self) -> bool:
        """Whether this severity is worse than the other."""
        return self is Severity.ERROR and other is not Severity.ERROR


class FailureKind(StrEnum):
    """The kinds of failures. A message has one section a kind, in this order."""

    RUN = "failed runs"
    FILE = "failed files"
    CHECK = "failed checks"
    CHAMPION = "rejected candidates"
    CONTRACT = "contracts that cannot be used"
    STALE = "stale streams"
    LAG = "Kafka lag"
    DISK = "full disks"
    METRIC = "metrics"
    BLIND = "what cannot be watched"
    CHANNEL = "channels that take no alerts"


@dataclass(frozen=True)
class ActiveAlert:
    """One failure that lasts. `key` identifies it from its start to its end.

    `owner` is an owner in Dagster's form (`team:engagement`). `asset` and `check` are its subject,
    `run_id` is the run in which it appeared, `remedy` says what to do next. Each of them is "" if
    it is not known.
    """

    key: str
    kind: FailureKind
    severity: Severity
    title: str
    owner: str = ""
    detail: str = ""
    remedy: str = ""
    run_id: str = ""
    asset: str = ""
    check: str = ""


@dataclass(frozen=True)
class Observation:
    """The active alerts at one moment; of keys that begin with `blind`, nothing is known."""

    active: tuple[ActiveAlert, ...]
    blind: tuple[str, ...] = ()

    @classmethod
    def of(cls, parts: Iterable[Self]) -> Self:
        """Combine several observations."""
        listed = list(parts)
        return cls(
            tuple(failure for part in listed for failure in part.active),
            tuple(prefix for part in listed for prefix in part.blind),
        )

    def is_unknown(self, key: str) -> bool:
        """Whether this observation cannot tell if the alert is active."""
        return key.startswith(self.blind) if self.blind else False
