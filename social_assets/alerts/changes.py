"""What a channel has not been told yet: what stands now, compared with what it was told.

Pure. One failure is news once, and once more when it gets worse or ends.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from social_assets.alerts.active import ActiveAlert, Observation, Severity


@dataclass(frozen=True)
class Told:
    """A failure that a channel was told of, and of whose end it was not."""

    key: str
    severity: Severity
    title: str
    run_id: str
    told_at: float


@dataclass(frozen=True)
class Changes:
    """What is to be told to one channel."""

    raised: tuple[ActiveAlert, ...]
    recovered: tuple[Told, ...]

    def __bool__(self) -> bool:
        return bool(self.raised or self.recovered)

    @property
    def worst(self) -> Severity | None:
        """The worst of what is raised; None if all of it is recovery."""
        return max((f.severity for f in self.raised), key=_rank, default=None)


def changes_since(
    observed: Observation, concerned: Collection[ActiveAlert], told: Mapping[str, Told]
) -> Changes:
    """`concerned` is what of the observed is this channel's. What it was told of stays its own,
    so that it learns the end also where the routing has changed.
    """
    standing = {failure.key for failure in observed.active}
    return Changes(
        raised=tuple(
            failure
            for failure in concerned
            if failure.key not in told or failure.severity.exceeds(told[failure.key].severity)
        ),
        recovered=tuple(
            each
            for key, each in told.items()
            if key not in standing and not observed.is_unknown(key)
        ),
    )


def _rank(severity: Severity) -> int:
    return list(Severity).index(severity)
