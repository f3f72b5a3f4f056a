"""Rejected records: lists them, and validates them again after a contract was corrected.

Belongs here: the list, and which days a replay rebuilds. Raw keeps every byte, so that nothing has
to be sent again. Rebuilding a day belongs to the backfill.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.contracts.registry import contract
from social_assets.defs.ingestion.jobs.changed_days import built_from
from social_assets.defs.partitions import runs_of_days
from social_assets.defs.stores import StoresResource
from social_assets.lake.schemas import ELEMENT
from social_assets.operate.runs.start import Progress, RunReport, rebuild_days
from social_assets.pipeline.quarantined_batches import quarantined
from social_assets.pipeline.stores import StreamStores

SHOWN_BYTES = 80


@dataclass(frozen=True)
class RejectedRecord:
    """A rejected record: its origin, the reasons, and its beginning.

    `origin` is its topic or file, `offset` its Kafka offset or number in the file.
    """

    event_date: date
    origin: str
    partition: int
    offset: int
    reasons: tuple[str, ...]
    record: str
    element: int | None = None
    """Its number among the records that were cut out of one Kafka record; else None."""


@dataclass(frozen=True)
class ReplayCounts:
    """Rejected and accepted records of one event date, and its rows in the warehouse."""

    rejected: int
    accepted: int
    warehouse: int


@dataclass(frozen=True)
class Replayed:
    """One event date before and after it was rebuilt."""

    day: date
    before: ReplayCounts
    after: ReplayCounts


def rejected_records(stream: str, limit: int) -> list[RejectedRecord]:
    """The latest rejected records, at most `limit`, newest first.

    Raises UnknownStreamError.
    """
    stores = _stores(stream)
    columns = ["event_date", "origin", "partition", "offset", "reasons", "value", "verdict"]
    element = [ELEMENT.name] if ELEMENT.name in stores.quarantine.schema.names else []
    with stores.engine.session() as session:
        files = stores.quarantine.files(_rejected_days(stores))
        read = [*columns, *element, "ingested_at"]
        rows = session.scan(files, stores.quarantine.schema, read, may_lack=bool(element))
        rejected = rows.filter(rows.verdict == "rejected")
        newest = rejected.order_by(
            *(rejected[name].desc() for name in ("ingested_at", "partition", "offset", *element))
        )
        found = session.table(newest.limit(limit).select(*columns[:-1], *element))
    return [
        RejectedRecord(
            event_date=row["event_date"],
            origin=row["origin"],
            partition=row["partition"],
            offset=row["offset"],
            reasons=tuple(row["reasons"]),
            record=shortened(row["value"]),
            element=row.get(ELEMENT.name),
        )
        for row in found.to_pylist()
    ]


def rejected_count(stream: str) -> int:
    """How many records of a stream are rejected, over all days."""
    return sum(_stores(stream).quarantine.rows_by_day(verdict="rejected").values())


def shortened(value: bytes | None) -> str:
    """The record's first bytes as text, and how many follow; a tombstone has none."""
    if value is None:
        return "(tombstone: no value)"
    text = value[:SHOWN_BYTES].decode("utf-8", "backslashreplace")
    rest = len(value) - SHOWN_BYTES
    return f"{text} ... {rest:,} bytes more" if rest > 0 else text


def replay(
    home: Home, stream: str, first: date | None, last: date | None, progress: Progress
) -> tuple[list[Replayed], list[RunReport]]:
    """Rebuild the days that have rejected records or records of quarantined batches, in all layers
    behind raw. Other days are not changed.

    Raises UnknownStreamError, and RunFailedError if a run fails; the days before it are done.
    """
    stores = _stores(stream)
    landed = stores.ledger.days("raw")
    days = sorted({*_rejected_days(stores), *(d for b in quarantined(stores) for d in landed[b])})
    ranges = runs_of_days(days, first or date.min, last or date.max)
    chosen = [day for day in days if any(begin <= day <= end for begin, end in ranges)]
    before = _counts(stores, chosen)
    assets = [f"cleaned/{stream}", f"quarantine/{stream}"]
    assets += [key.to_user_string() for key in built_from(stream)]
    reports = [rebuild_days(home, begin, end, assets, progress) for begin, end in ranges]
    after = _counts(stores, chosen)
    return [Replayed(day, before[day], after[day]) for day in chosen], reports


def _rejected_days(stores: StreamStores) -> list[date]:
    return sorted(
        day for day, rows in stores.quarantine.rows_by_day(verdict="rejected").items() if rows
    )


def _counts(stores: StreamStores, days: Sequence[date]) -> dict[date, ReplayCounts]:
    rejected = stores.quarantine.rows_by_day(verdict="rejected")
    accepted = stores.cleaned.rows_by_day()
    warehouse = stores.loader.rows_by_day()
    return {
        day: ReplayCounts(rejected.get(day, 0), accepted.get(day, 0), warehouse.get(day, 0))
        for day in days
    }


def _stores(stream: str) -> StreamStores:
    return StoresResource(clickhouse=ClickHouseResource()).stores().of(contract(stream))
