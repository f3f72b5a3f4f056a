"""Sessions that can't be: they overlap, or end before they begin.

Belongs here: what the check `sessions_do_not_overlap` counts, without Dagster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from social_assets.quality.features.sums import SESSIONS

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

LONGEST_SESSION = timedelta(days=2)
"""A session ends with the day after the one on which it begins."""


@dataclass(frozen=True)
class WrongSessions:
    """Sessions of some days, and how many of them are wrong."""

    sessions: int
    overlapping: int
    """They begin before the one before has ended."""
    malformed: int
    """They end before they begin, last too long, or have no event."""
    days: tuple[date, ...]
    """The days of the wrong ones."""

    @property
    def is_right(self) -> bool:
        """Whether none is wrong."""
        return not (self.overlapping or self.malformed)


def count_wrong_sessions(client: Client, days: Sequence[date] | None) -> WrongSessions:
    """Look at the sessions of some days, or of all; of the days around, for what they overlap."""
    around = sorted({d + timedelta(days=n) for d in days or () for n in (-1, 0, 1)})
    asked = "true" if days is None else "event_date IN {days:Array(Date)}"
    read = "true" if days is None else "event_date IN {around:Array(Date)}"
    [(sessions, overlapping, malformed, wrong_days)] = client.query(
        "SELECT count(), countIf(overlaps), countIf(is_malformed),\n"
        "  groupUniqArrayIf(event_date, overlaps OR is_malformed)\n"
        "FROM (\n"
        "  SELECT event_date,\n"
        "    coalesce(event_time <= lagInFrame(toNullable(ended_at)) OVER (\n"
        "      PARTITION BY platform_key, user_key ORDER BY event_time, ended_at\n"
        "      ROWS BETWEEN 1 PRECEDING AND CURRENT ROW), false) AS overlaps,\n"
        "    ended_at < event_time OR events = 0 OR toDate(event_time, 'UTC') != event_date\n"
        f"      OR ended_at >= toDateTime64(event_date + {LONGEST_SESSION.days}, 6, 'UTC')\n"
        "      AS is_malformed\n"
        f"  FROM {SESSIONS} WHERE {read})\n"
        f"WHERE {asked}",
        parameters={"days": list(days or ()), "around": around},
    ).result_rows
    return WrongSessions(sessions, overlapping, malformed, tuple(sorted(wrong_days)))
