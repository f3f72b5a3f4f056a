"""Log lines for a person: those in ClickHouse, and those in files that are not shipped yet.

Belongs here: putting both together. Without ClickHouse the files alone are read.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from resources.settings.home import Home
from social_assets.operate.logs.running_warehouse import failures
from social_assets.pipeline.logs.ship import unshipped_lines
from social_assets.warehouse.logs.line import LogFilter, LogLine
from social_assets.warehouse.logs.lines import Clients, LogTable
from social_assets.warehouse.tables import is_of_missing_table


@dataclass(frozen=True)
class FoundLines:
    """The newest lines that are wanted, the oldest of them first."""

    lines: tuple[LogLine, ...]
    away: str = ""
    """Why ClickHouse could not be asked; empty if it was."""


def find_lines(home: Home, clickhouse: Clients, wanted: LogFilter) -> FoundLines:
    """The lines, each once: a line that is shipped meanwhile may be in both places."""
    newest: deque[LogLine] = deque(maxlen=wanted.limit)
    # Sorted as a whole by time below: files of several processes overlap.
    for line in unshipped_lines(home):
        if wanted.takes(line):
            newest.append(line)
    away = ""
    shipped: list[LogLine] = []
    try:
        shipped = LogTable(clickhouse).find(wanted)
    except failures() as error:
        if not is_of_missing_table(error):
            away = str(error)
    found = {(each.source, each.position): each for each in [*newest, *shipped]}
    ordered = sorted(found.values(), key=lambda each: (each.time, each.source, each.position))
    return FoundLines(tuple(ordered[-wanted.limit :]), away)
