"""What has changed since a channel was last told: active alerts compared with what it was told.

Pure functions. A failure is told once when it starts, again if it gets worse, and when it ends.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from social_assets.alerts.active import ActiveAlert, Observation, Severity


@dataclass(frozen=True)
class Told:
    """A failure that a channel was told about, before it was told that the failure has ended."""

    key: str
    severity: Severity
    title: str
    run_id: str
    told_at: float


@dataclass(frozen=True)
class Changes:
    """What to tell one channel."""

    raised: tuple[ActiveAlert, ...]
    recovered: tuple[Told, ...]

    def __bool__(self) -> bool:
        return bool(self.raised or self.recovered)

    @property
    def worst(self) -> Severity | None:
        """The worst severity of the raised alerts; None if all changes are recoveries."""
        return max((f.severity for f in self.raised), key=_rank, default=None)


def changes_since(
    observed: Observation, concerned: Collection[ActiveAlert], told: Mapping[str, Told]
) -> Changes:
    """Compare the alerts that are routed to a channel (`concerned`) with what it was told.

    A recovery is told to every channel that was told about the failure, even if the routing has
    changed since then.
    """
    active = {failure.key for failure in observed.active}
    return Changes(
        raised=tuple(
            failure
            for failure in concerned
            if failure.key not in told or failure.severity.exceeds(told[failure.key].severity)
        ),
        recovered=tuple(
            each for key, each in told.items() if key not in active and not observed.is_unknown(key)
        ),
    )


def _rank(severity: Severity) -> int:
    return list(Severity).index(severity)
