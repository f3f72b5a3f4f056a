"""The second hop: raw records into cleaned and quarantine, each record into exactly one of them.

Here belongs what is read and written for it, for a new batch (append) and for whole days
(replace). What makes a record acceptable is the engine's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa

from social_assets.contracts.contract import Contract
from social_assets.lake.delta import Applied, LakeTable
from social_assets.lake.row_groups import RowGroup, row_groups
from social_assets.lake.schemas import QUARANTINE, cleaned_schema
from social_assets.pipeline.clean_in_parts import settled_in_parts
from social_assets.pipeline.ledger_counts import account_cleaned
from social_assets.pipeline.stores import StreamStores
from social_assets.transform.clean_records import INPUT, verdicts
from social_assets.transform.deduplicate import POSITION, duplicates, unsettled
from social_assets.transform.deduplicate import without as without_positions
from social_assets.transform.duckdb_engine import DuckDBEngine, Session, is_of_disk
from social_assets.transform.validate import SEPARATOR

SLICE_ROWS = 500_000
"""Days are worked on together up to this many raw records; a larger day alone, in parts."""


class Settled(Protocol):
    """The raw records of some days with their verdicts: rows of cleaned and of quarantine."""

    @property
    def days(self) -> Sequence[date]:
        """All dates of the rows."""
        ...

    def cleaned(self) -> pa.RecordBatchReader:
        """The rows of the cleaned table."""
        ...

    def quarantine(self) -> pa.RecordBatchReader:
        """The rows of the quarantine table."""
        ...


@dataclass(frozen=True)
class Slice:
    """Days that are worked on together; `in_parts` if they are too large for that."""

    days: tuple[date, ...]
    in_parts: bool = False


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

    def append(settled: Settled) -> None:
        applied = Applied(batch_id, ordered.index(settled.days[-1]) + 1)
        stores.quarantine.append(settled.quarantine(), applied)
        stores.cleaned.append(
            settled.cleaned(), Applied(applied.app_id, applied.version, is_once=True)
        )

    _judge_and_write(stores, ordered[done:], batch_id, append)
    account_cleaned(stores, days, batch_id)


def is_batch_cleaned(stores: StreamStores, batch_id: str, days: Collection[date]) -> bool:
    """Whether `clean_batch` has done all dates of a batch; a rebuild may have, where it has not."""
    return (stores.cleaned.applied_version(batch_id) or 0) >= len(days)


def rebuild_days(stores: StreamStores, days: Sequence[date], without: Collection[str] = ()) -> None:
    """Make cleaned and quarantine of some days anew from raw, a slice of days in one commit.

    Records of the batches `without`, which are quarantined, are left out.
    """

    def replace(settled: Settled) -> None:
        stores.quarantine.replace(settled.days, settled.quarantine())
        stores.cleaned.replace(settled.days, settled.cleaned())

    _judge_and_write(stores, sorted(days), None, replace, without)
    account_cleaned(stores, days, without=without)


def slices(
    table: LakeTable,
    days: Sequence[date],
    engine: DuckDBEngine,
    batch_id: str | None = None,
    at_most: int = SLICE_ROWS,
) -> list[Slice]:
    """Cut days into runs of at most `at_most` records that the engine has memory for.

    A day with more, by the footers of its files, stands alone and is worked on in parts.
    """
    groups: defaultdict[date, list[RowGroup]] = defaultdict(list)
    for group in row_groups(table, days, batch_id):
        groups[group.event_date].append(group)
    cut: list[Slice] = []
    held_rows = held_bytes = 0
    for day in days:
        rows = sum(group.rows for group in groups[day])
        size = sum(group.size_bytes for group in groups[day])
        is_wide = any(group.width > engine.widest for group in groups[day])
        if is_wide or rows > at_most or size > engine.whole_bytes:
            cut.append(Slice((day,), in_parts=True))
            continue
        fits = held_rows + rows <= at_most and held_bytes + size <= engine.whole_bytes
        if cut and not cut[-1].in_parts and fits:
            cut[-1] = Slice((*cut[-1].days, day))
        else:
            cut.append(Slice((day,)))
            held_rows = held_bytes = 0
        held_rows, held_bytes = held_rows + rows, held_bytes + size
    return cut


def _judge_and_write(
    stores: StreamStores,
    days: Sequence[date],
    batch_id: str | None,
    write: Callable[[Settled], None],
    without: Collection[str] = (),
) -> None:
    """Slice after slice: while one is written, the next is judged. Written in order, one at a time.

    A slice that proves to be too large for the engine's memory is worked on in parts.
    """

    def in_parts(days_of_slice: Sequence[date]) -> None:
        for day in days_of_slice:
            with settled_in_parts(stores, [day], batch_id, without) as settled:
                write(settled)

    with ThreadPoolExecutor(max_workers=1) as writer:
        writing: Future[None] | None = None
        before: Sequence[date] = ()
        for each in slices(stores.raw, days, stores.engine, batch_id):
            opened: ExitStack | None = None
            settled: Settled | None = None
            if not each.in_parts:
                opened, settled = _judged(stores, each.days, batch_id, without)
            if writing is not None and not _is_written(writing):
                if opened is not None:
                    opened.close()
                in_parts(before)
                opened = None
            writing = None
            if opened is None or settled is None:
                in_parts(each.days)
                continue
            writing = writer.submit(_write_and_close, write, settled, opened)
            before = each.days
        if writing is not None and not _is_written(writing):
            in_parts(before)


def _judged(
    stores: StreamStores,
    days: Sequence[date],
    batch_id: str | None,
    without: Collection[str],
) -> tuple[ExitStack, Settled] | tuple[None, None]:
    """Verdicts and what closes them; nothing if the engine has no memory for them."""
    with ExitStack() as opened:
        try:
            settled = opened.enter_context(_settled(stores, days, batch_id, without))
        except duckdb.OutOfMemoryException as error:
            if is_of_disk(error):
                raise
            return None, None
        return opened.pop_all(), settled


def _is_written(writing: Future[None]) -> bool:
    """Wait for a slice; false if the engine had no memory for it, and nothing was written."""
    try:
        writing.result()
    except duckdb.OutOfMemoryException as error:
        if is_of_disk(error):
            raise
        return False
    return True


def _write_and_close(
    write: Callable[[Settled], None], settled: Settled, open_session: ExitStack
) -> None:
    with open_session:
        write(settled)


@contextmanager
def _settled(
    stores: StreamStores,
    days: Sequence[date],
    batch_id: str | None,
    without: Collection[str],
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
        for left_out in sorted(without):
            raw = raw.filter(raw.batch_id != session.constant(left_out))
        with verdicts(session, raw, contract) as judged:
            accepted = judged.filter(judged.reasons == "")
            rejected = judged.filter(judged.reasons != "")
            with session.stored(duplicates(accepted, contract, landed)) as doubled:
                again = accepted.semi_join(doubled, list(POSITION))
                set_aside = _quarantined(
                    rejected, rejected.reasons.split(SEPARATOR), "rejected"
                ).union(_quarantined(again, ibis.array(["duplicate"]), "duplicate"))
                yield Verdicts(
                    session, contract, days, without_positions(accepted, doubled), set_aside
                )


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
