"""Whether `text.sentiment` has a right row for each text of some days.

Belongs here: what the checks of texts compute, without Dagster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from social_assets.transform.text.models.model import LABELS
from social_assets.transform.text.sources import present_sources
from social_assets.warehouse.compared_days import (
    EVERY_TEXT_IS_SCORED,
    ComparedDay,
    partition_states,
    record_compared,
)
from social_assets.warehouse.tables import exists
from social_assets.warehouse.text_tables import SENTIMENT

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client


@dataclass(frozen=True)
class ScoredTextCounts:
    """Texts of some days beside their rows; `wrong` rows have no valid score or label."""

    texts: int
    unscored: int
    stale: int
    """Rows of texts that are gone or changed."""
    doubled: int
    wrong: int

    @property
    def is_right(self) -> bool:
        """Whether each text has one valid row, and each row its text."""
        return not (self.unscored or self.stale or self.doubled or self.wrong)


def compare_scored_texts(client: Client, days: Sequence[date] | None) -> ScoredTextCounts:
    """Count as `count_scored_texts` does, and record for answers what each day has.

    Of days that differ together, each is counted alone.
    """
    tables = (SENTIMENT, *(source.table for source in present_sources(client)))
    states = partition_states(client, tables)
    found = count_scored_texts(client, days)
    listed = sorted(states.of_days.get(SENTIMENT, {})) if days is None else days
    compared = [
        ComparedDay(
            SENTIMENT,
            EVERY_TEXT_IS_SCORED,
            day,
            found.is_right or count_scored_texts(client, [day]).is_right,
            tables,
        )
        for day in listed
    ]
    record_compared(client, compared, states)
    return found


def count_scored_texts(client: Client, days: Sequence[date] | None) -> ScoredTextCounts:
    """Compare the texts of some days, or of all days that have scores, with their rows.

    Without the table nothing is counted.
    """
    if not exists(client, SENTIMENT):
        return ScoredTextCounts(0, 0, 0, 0, 0)
    where = of_days(SENTIMENT, days)
    identity = "event_date, stream, platform, text_id, text_hash"
    sources = present_sources(client)
    texts = (
        " UNION ALL ".join(f"SELECT {identity} FROM ({s.texts(where)})" for s in sources)
        or f"SELECT {identity} FROM {SENTIMENT} WHERE false"
    )
    rows = f"SELECT {identity} FROM {SENTIMENT} WHERE {where}"
    [(total, unscored)] = client.query(
        f"SELECT count(), countIf(({identity}) NOT IN ({rows})) FROM ({texts})"
    ).result_rows
    [(stale, doubled)] = client.query(
        f"SELECT countIf(({identity}) NOT IN ({texts})), count() - uniqExact({identity})\n"
        f"FROM ({rows})"
    ).result_rows
    [(wrong,)] = client.query(
        f"SELECT countIf(NOT (score BETWEEN -1 AND 1) OR label NOT IN {LABELS})\n"
        f"FROM {SENTIMENT} WHERE {where}"
    ).result_rows
    return ScoredTextCounts(int(total), int(unscored), int(stale), int(doubled), int(wrong))


def of_days(table: str, days: Sequence[date] | None) -> str:
    """The condition of some days, or of all that a table has rows of."""
    asked = (
        f"SELECT DISTINCT event_date FROM {table}"
        if days is None
        else ", ".join(f"toDate('{day}')" for day in days)
    )
    return f"event_date IN ({asked})"
