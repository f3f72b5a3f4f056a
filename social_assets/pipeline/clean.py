"""The second hop: raw records into cleaned and quarantine, each record into exactly one of them.

Here belongs what is read and written for it, for a new batch (append) and for whole days
(replace). What makes a record acceptable is the engine's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from social_assets.contracts.contract import Contract
from social_assets.lake.delta import Applied
from social_assets.lake.schemas import QUARANTINE, cleaned_schema
from social_assets.pipeline.ledger_counts import account_cleaned
from social_assets.pipeline.stores import StreamStores
from social_assets.transform.clean_records import INPUT, verdicts
from social_assets.transform.deduplicate import POSITION, duplicates, unsettled, without
from social_assets.transform.duckdb_engine import Session
from social_assets.transform.validate import SEPARATOR

SLICE_ROWS = 500_000
"""Days are worked on together up to this many raw records; a larger day alone."""


@dataclass(frozen=True)
class Verdicts:
    """The raw records of some days, settled: what goes to cleaned, what to quarantine."""

    session: Session
    contract: Contract
    days: Sequence[date]
    accepted: ir.Table
    set_aside: ir.Table

    def cleaned(self) -> pa.RecordBatchReader:
        """The rows of the cleaned table."""
        return self.session.stream(self.accepted, cleaned_schema(self.contract))

    def quarantine(self) -> pa.RecordBatchReader:
        """The rows of the quarantine table."""
        return self.session.stream(self.set_aside, QUARANTINE)


def clean_batch(stores: StreamStores, batch_id: str, days: Sequence[date]) -> None:
    """Append a landed batch to cleaned and quarantine; `days` are all of its event dates.

    A slice of days is one commit a table. Its transaction is the batch and how many of its days,
    in order, are done with it, so that a call after a crash goes on where the last one ended,
    however the slices are cut then. Earlier rows of the same key and date win.
    """
    ordered = sorted(days)
    done = stores.cleaned.applied_version(batch_id) or 0

    def append(settled: Verdicts) -> None:
        applied = Applied(batch_id, ordered.index(settled.days[-1]) + 1)
        stores.quarantine.append(settled.quarantine(), applied)
        stores.cleaned.append(settled.cleaned(), applied)

    _judge_and_write(stores, ordered[done:], batch_id, append)
    account_cleaned(stores, days, batch_id)


def is_batch_cleaned(stores: StreamStores, batch_id: str, days: Collection[date]) -> bool:
    """Whether `clean_batch` has done all dates of a batch; a rebuild may have, where it has not."""
    return (stores.cleaned.applied_version(batch_id) or 0) >= len(days)


def rebuild_days(stores: StreamStores, days: Sequence[date]) -> None:
    """Make cleaned and quarantine of some days anew from raw, a slice of days in one commit."""

    def replace(settled: Verdicts) -> None:
        stores.quarantine.replace(settled.days, settled.quarantine())
        stores.cleaned.replace(settled.days, settled.cleaned())

    _judge_and_write(stores, sorted(days), None, replace)
    account_cleaned(stores, days)


def slices(
    stores: StreamStores, days: Sequence[date], at_most: int = SLICE_ROWS
) -> list[list[date]]:
    """Cut days into runs of at most `at_most` raw records, by the counts in the log."""
    rows = stores.raw.rows_by_day()
    cut: list[list[date]] = []
    held = 0
    for day in days:
        if not cut or held + rows.get(day, 0) > at_most:
            cut.append([])
            held = 0
        cut[-1].append(day)
        held += rows.get(day, 0)
    return cut


def _judge_and_write(
    stores: StreamStores,
    days: Sequence[date],
    batch_id: str | None,
    write: Callable[[Verdicts], None],
) -> None:
    """Slice after slice: while one is written, the next is judged. Written in order, one at a time.

    A slice too large for memory has it to itself.
    """
    rows = stores.raw.rows_by_day()
    with ThreadPoolExecutor(max_workers=1) as writer:
        writing: Future[None] | None = None
        for days_of_slice in slices(stores, days):
            is_large = sum(rows.get(day, 0) for day in days_of_slice) > SLICE_ROWS
            if writing is not None and is_large:
                writing.result()
            with ExitStack() as open_session:
                settled = open_session.enter_context(_settled(stores, days_of_slice, batch_id))
                if writing is not None:
                    writing.result()
                writing = writer.submit(_write_and_close, write, settled, open_session.pop_all())
                if is_large:
                    writing.result()
        if writing is not None:
            writing.result()


def _write_and_close(
    write: Callable[[Verdicts], None], settled: Verdicts, open_session: ExitStack
) -> None:
    with open_session:
        write(settled)


@contextmanager
def _settled(
    stores: StreamStores, days: Sequence[date], batch_id: str | None
) -> Iterator[Verdicts]:
    """Judge the records of some days: of one batch, as far as it is not settled, or of all."""
    contract = stores.contract
    with stores.engine.session() as session:
        raw = session.scan(stores.raw.files(days), stores.raw.schema, list(INPUT))
        landed = None
        if batch_id is not None:
            batch = session.constant(batch_id)
            of_batch = raw.filter(raw.batch_id == batch)
            raw = unsettled(of_batch, _positions(session, stores, days, batch))
            landed = _landed_keys(session, stores, days)
        with verdicts(session, raw, contract) as judged:
            accepted = judged.filter(judged.reasons == "")
            rejected = judged.filter(judged.reasons != "")
            with session.stored(duplicates(accepted, contract, landed)) as doubled:
                again = accepted.semi_join(doubled, list(POSITION))
                set_aside = _quarantined(
                    rejected, rejected.reasons.split(SEPARATOR), "rejected"
                ).union(_quarantined(again, ibis.array(["duplicate"]), "duplicate"))
                yield Verdicts(session, contract, days, without(accepted, doubled), set_aside)


def _positions(
    session: Session, stores: StreamStores, days: Sequence[date], batch: ir.StringValue
) -> ir.Table:
    """Positions of the batch that a rebuild, or a call cut short, has put in one of the tables."""
    found = [
        session.scan(table.files(days), table.schema, list(POSITION))
        for table in (stores.cleaned, stores.quarantine)
    ]
    both = found[0].union(found[1])
    return both.filter(both.batch_id == batch)


def _landed_keys(session: Session, stores: StreamStores, days: Sequence[date]) -> ir.Table:
    columns = ["event_date", *stores.contract.key]
    return session.scan(stores.cleaned.files(days), stores.cleaned.schema, columns)


def _quarantined(rows: ir.Table, reasons: ir.ArrayValue, verdict: str) -> ir.Table:
    names = [n for n in QUARANTINE.names if n not in ("value", "reasons", "verdict")]
    return rows.select(
        *names, value=rows.record_bytes, reasons=reasons, verdict=ibis.literal(verdict)
    )
