"""Stops asking a platform that fails for every account, for a while.

Belongs here: counting failures in succession. Without it, each of very many accounts would wait for
all attempts, one after the other.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

FAILURES = 5
"""So many calls in succession must have failed, with all of their attempts."""
PAUSE = timedelta(seconds=60)


class Breaker:
    """Whether a platform is asked at all."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._failures = 0
        self._until: datetime | None = None

    @property
    def paused_until(self) -> datetime | None:
        """Until when the platform is not asked; None: it is asked now.

        After the pause one call may try; if it fails too, the next pause begins.
        """
        return self._until if self._until and self._clock() < self._until else None

    @property
    def failures(self) -> int:
        """How many calls have failed in succession."""
        return self._failures

    def failed(self) -> None:
        """A call has failed, with all of its attempts."""
        self._failures += 1
        if self._failures >= FAILURES:
            self._until = self._clock() + PAUSE

    def answered(self) -> None:
        """The platform has answered."""
        self._failures, self._until = 0, None
