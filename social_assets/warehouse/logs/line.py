"""One log line, and which lines somebody wants to see.

Belongs here: the two types. A filter means the same in the table and in files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@dataclass(frozen=True)
class LogLine:
    """One line; the order is that of the table's columns."""

    time: datetime
    level: str
    process: str
    pid: int
    logger: str
    text: str
    run_id: str = ""
    stream: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    host: str = ""
    source: str = ""
    position: int = 0
    batch: str = ""

    def values(self) -> tuple[object, ...]:
        """Its values, in the order of the columns."""
        return tuple(getattr(self, each.name) for each in fields(self))


@dataclass(frozen=True)
class LogFilter:
    """Which lines are wanted. Empty values exclude nothing."""

    since: datetime | None = None
    run: str = ""
    """The beginning of a run's id."""
    text: str = ""
    """A part of the text, of any case."""
    process: str = ""
    level: str = ""
    """The least severe level."""
    limit: int = 200

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels that are wanted."""
        return LEVELS[LEVELS.index(self.level) :] if self.level else ()

    def takes(self, line: LogLine) -> bool:
        """Whether a line is wanted, whatever the limit is."""
        return (
            (self.since is None or line.time >= self.since)
            and line.run_id.startswith(self.run)
            and (not self.process or line.process == self.process)
            and (not self.level or line.level in self.levels)
            and self.text.lower() in line.text.lower()
        )
