"""What stands: a failure that is there until something changes.

The values alone. Where they come from is `observe`'s.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Severity(StrEnum):
    """How bad; the names are those of asset checks, and of the variables that route."""

    WARN = "WARN"
    ERROR = "ERROR"

    def exceeds(self, other: Self) -> bool:
        """Whether this is the worse one."""
        return self is Severity.ERROR and other is not Severity.ERROR


class Kind(StrEnum):
    """The families of failures; each is one part of a message, in this order."""

    RUN = "failed runs"
    CHECK = "failed checks"
    CHAMPION = "rejected candidates"
    STALE = "stale streams"
    LAG = "Kafka lag"
    DISK = "full disks"
    BLIND = "what cannot be watched"
    CHANNEL = "channels that take no alerts"


@dataclass(frozen=True)
class ActiveAlert:
    """One failure that stands. `key` names it for as long as it does.

    `owner` is an owner of Dagster's (`team:engagement`), "" where nobody in particular is. `asset`
    and `check` are what it is about, `run_id` the run that showed it, `remedy` what to do next;
    each "" where there is none.
    """

    key: str
    kind: Kind
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
    """What stands by one look, and of what nothing is known: keys that begin with `blind`."""

    active: tuple[ActiveAlert, ...]
    blind: tuple[str, ...] = ()

    @classmethod
    def of(cls, parts: Iterable[Self]) -> Self:
        """Several looks as one."""
        listed = list(parts)
        return cls(
            tuple(failure for part in listed for failure in part.active),
            tuple(prefix for part in listed for prefix in part.blind),
        )

    def is_unknown(self, key: str) -> bool:
        """Whether the look could not tell if this failure stands."""
        return key.startswith(self.blind) if self.blind else False
