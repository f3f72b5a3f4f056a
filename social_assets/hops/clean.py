"""The second hop: raw records into cleaned and quarantine, each record into exactly one of them.

Here belongs what is read and written for it, for a new batch (append) and for whole days
(replace). What makes a record acceptable is the engine's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from social_assets.contracts.contract import Contract
from social_assets.engine.clean_records import INPUT, verdicts
from social_assets.engine.deduplicate import POSITION, duplicates, unsettled, without
from social_assets.engine.duckdb_engine import Session
from social_assets.engine.verdicts import SEPARATOR
from social_assets.hops.account import account_cleaned
from social_assets.hops.stores import StreamStores
from social_assets.lake.delta import Applied
from social_assets.lake.schemas import QUARANTINE, cleaned_schema

SLICE_ROWS = 1_000_000
"""Days are worked on together up to this many raw records; a larger day alone."""


@dataclass(frozen=True)
class Verdicts:
    """A set of raw records, settled: what goes to cleaned, what to quarantine."""

    session: Session
    contract: Contract
    accepted: ir.Table
    set_aside: ir.Table

    def cleaned(self) -> pa.RecordBatchReader:
        """The rows of the cleaned table."""
        return self.session.stream(self.accepted, cleaned_schema(self.contract))

    def quarantine(self) -> pa.RecordBatchReader:
        """The rows of the quarantine table."""
        return self.session.stream(self.set_aside, QUARANTINE)


def clean_batch(stores: StreamStores, batch_id: str, days: Sequence[date]) -> None:
    """Append a landed batch to cleaned and quarantine, slice of days by slice.

    The transaction of a slice is the batch's id and the slice's number, so that a call after a
    crash goes on where the last one ended. Earlier rows of the same key and date win.
    """
    for number, days_of_slice in enumerate(slices(stores, sorted(days)), start=1):
        applied = Applied(batch_id, number)
        if (stores.cleaned.applied_version(batch_id) or 0) >= number:
            continue
        with stores.engine.session() as session:
            raw = _raw(session, stores, days_of_slice)
            raw = unsettled(
                raw.filter(raw.batch_id == batch_id),
                _settled(session, stores, days_of_slice, batch_id),
            )
            landed = _landed_keys(session, stores, days_of_slice)
            with _judged(session, raw, stores.contract, landed) as settled:
                stores.quarantine.append(settled.quarantine(), applied)
                stores.cleaned.append(settled.cleaned(), applied)
    account_cleaned(stores, days, batch_id)


def rebuild_days(stores: StreamStores, days: Sequence[date]) -> None:
    """Make cleaned and quarantine of some days anew from raw, each table in one commit."""
    with stores.engine.session() as session:
        raw = _raw(session, stores, days)
        with _judged(session, raw, stores.contract, None) as settled:
            stores.quarantine.replace(days, settled.quarantine())
            stores.cleaned.replace(days, settled.cleaned())
    account_cleaned(stores, days)


def slices(stores: StreamStores, days: Sequence[date]) -> list[list[date]]:
    """Cut days into runs of at most SLICE_ROWS raw records, by the counts in the log."""
    rows = stores.raw.rows_by_day()
    cut: list[list[date]] = []
    held = 0
    for day in days:
        if not cut or held + rows.get(day, 0) > SLICE_ROWS:
            cut.append([])
            held = 0
        cut[-1].append(day)
        held += rows.get(day, 0)
    return cut


def _raw(session: Session, stores: StreamStores, days: Sequence[date]) -> ir.Table:
    return session.scan(stores.raw.files(days), stores.raw.schema, list(INPUT))


def _settled(
    session: Session, stores: StreamStores, days: Sequence[date], batch_id: str
) -> ir.Table:
    """Positions of the batch that a rebuild, or a call cut short, has put in one of the tables."""
    found = [
        session.scan(table.files(days), table.schema, list(POSITION))
        for table in (stores.cleaned, stores.quarantine)
    ]
    both = found[0].union(found[1])
    return both.filter(both.batch_id == batch_id)


def _landed_keys(session: Session, stores: StreamStores, days: Sequence[date]) -> ir.Table:
    columns = ["event_date", *stores.contract.key]
    return session.scan(stores.cleaned.files(days), stores.cleaned.schema, columns)


@contextmanager
def _judged(
    session: Session, raw: ir.Table, contract: Contract, landed: ir.Table | None
) -> Iterator[Verdicts]:
    with verdicts(session, raw, contract) as judged:
        accepted = judged.filter(judged.reasons == "")
        rejected = judged.filter(judged.reasons != "")
        with session.stored(duplicates(accepted, contract, landed)) as doubled:
            again = accepted.semi_join(doubled, list(POSITION))
            set_aside = _quarantined(
                rejected, reasons=rejected.reasons.split(SEPARATOR), verdict="rejected"
            ).union(_quarantined(again, reasons=ibis.array(["duplicate"]), verdict="duplicate"))
            yield Verdicts(session, contract, without(accepted, doubled), set_aside)


def _quarantined(rows: ir.Table, reasons: ir.ArrayValue, verdict: str) -> ir.Table:
    names = [n for n in QUARANTINE.names if n not in ("value", "reasons", "verdict")]
    return rows.select(*names, value=rows.bytes, reasons=reasons, verdict=ibis.literal(verdict))
