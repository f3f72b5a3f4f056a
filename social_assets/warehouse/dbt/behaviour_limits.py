"""From which limits on behaviour is unusual: declared once for models, metrics, alerts, dashboards.

Belongs here: the limits, and how they are told. What is computed with them belongs to the dbt
models `unusual_sessions` and `coordinated_texts`, which read them as macros.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SessionLimits:
    """Of sessions. `deviations` are robust ones: the distance from the median over 1.4826 x the
    median absolute deviation, which is taken to be one event at least.
    """

    least_events: int
    least_regular_events: int
    deviations: int
    gap_variation: float
    """Standard deviation over mean of the time from event to event."""
    fast_seconds: int

    def __str__(self) -> str:
        return (
            f"too_fast: half of the events within {self.fast_seconds} s of the one before, on "
            f"{self.least_events} items or more; regular: {self.least_regular_events} events or "
            f"more, whose gaps vary by {self.gap_variation:.0%} at most; burst: the busiest minute "
            f"is {self.deviations} robust deviations above the typical one"
        )


@dataclass(frozen=True)
class TextLimits:
    """Of equal texts: so many authors, with no pause that is longer, and with so many characters
    unless a text has a link.
    """

    least_authors: int
    pause_seconds: int
    least_characters: int

    def __str__(self) -> str:
        return (
            f"{self.least_authors} authors or more write the same link, or the same words of "
            f"{self.least_characters} characters or more, with no pause over {self.pause_seconds} s"
        )


SESSION_LIMITS = SessionLimits(10, 20, 6, 0.1, 1)
TEXT_LIMITS = TextLimits(5, 60, 20)
