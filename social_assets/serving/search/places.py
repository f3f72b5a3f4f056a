"""Places of documents in the order of time, by which pages are read.

Belongs here: what identifies a document in `text.documents`, and the condition that reads some.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

PLACE = "toString(event_time), document_id, platform, kind"

BY_TIME = "event_time DESC"
"""By time alone ClickHouse reads the newest matches and stops. By the whole place it reads
millions of rows, so the others of a moment are read as well (`WITH TIES`) and sorted afterwards."""

AT_PLACES = (
    "(event_time, document_id) IN (SELECT arrayJoin(arrayZip(\n"
    "  arrayMap(time -> toDateTime64(time, 6, 'UTC'), {times:Array(String)}),"
    " {ids:Array(String)})))\n"
    "AND (document_id, platform, kind) IN (SELECT arrayJoin(arrayZip(\n"
    "  {ids:Array(String)}, {platforms:Array(String)}, {kinds:Array(String)})))"
)
"""The first part finds the rows by the table's order."""


@dataclass(frozen=True)
class Match:
    """A match by its place, and the number that it is ordered by."""

    written_at: str
    document_id: str
    platform: str
    kind: str
    rank: float = 0.0

    @property
    def place(self) -> tuple[str, str, str, str]:
        """What identifies it, in the order of `PLACE`."""
        return self.written_at, self.document_id, self.platform, self.kind


def by_rank(found: Sequence[Match]) -> list[Match]:
    """The greatest rank first; of equal ones the newest first."""
    newest_first = sorted(found, key=lambda each: each.place, reverse=True)
    return sorted(newest_first, key=lambda each: -each.rank)


def place_parameters(page: Sequence[Match]) -> dict[str, list[str]]:
    """The parameters of `AT_PLACES`."""
    return {
        "times": [each.written_at for each in page],
        "ids": [each.document_id for each in page],
        "platforms": [each.platform for each in page],
        "kinds": [each.kind for each in page],
    }
