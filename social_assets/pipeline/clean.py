"""The second step: writes each raw record either to cleaned or to quarantine.

Belongs here: what is read and written, for a new batch (append) and for whole days (replace). The
rules that accept or reject a record belong to `transform`.
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
from social_assets.pipeline.clean_in_parts import validated_in_parts
from social_assets.pipeline.ledger_counts import account_cleaned
from social_assets.pipeline.stores import StreamStores
from social_assets.transform.clean_records import INPUT, validated_records
from social_assets.transform.deduplicate import POSITION, duplicates, pending
from social_assets.transform.deduplicate import without as without_positions
from social_assets.transform.duckdb_engine import DuckDBEngine, Session, is_of_disk
from social_assets.transform.validate import SEPARATOR

SLICE_ROWS = 500_000
"""Days with up to this many raw records are processed together; a larger day alone, in parts."""


class ValidatedDays(Protocol):
    """The raw records of some days after validation, as rows of cleaned and of quarantine."""

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
    """Days that are processed together; `in_parts` if they are too large for the memory."""

    days: tuple[date, ...]
    in_parts: bool = False


@dataclass(frozen=True)
class WholeDays:
    """The validated records of some days in one query: those of cleaned, those of quarantine."""

    session: Session
    contract: Contract
    days: Sequence[date]
    accepted: ir.Table
    quarantined: ir.Table

    def cleaned(self) -> pa.RecordBatchReader:
        """The rows of the cleaned table."""
        return self.session.stream(self.accepted, cleaned_schema(self.contract))

    def quarantine(self) -> pa.RecordBatchReader:
        """The rows of the quarantine table."""
        return self.session.stream(self.quarantined, QUARANTINE)


def clean_batch(stores: StreamStores, batch_id: str, days: Sequence[date]) -> None:
    """Append a landed batch to cleaned and quarantine; `days` are all of its event dates.

    Each slice of days is one commit a table. Its transaction records the batch and how many of its
    days, in order, are done. A call after a crash continues there, even if it cuts other slices.
    Earlier rows of the same key and date win.
    """
    ordered = sorted(days)
    done = stores.cleaned.applied_version(batch_id) or 0

    def append(validated: ValidatedDays) -> None:
        applied = Applied(batch_id, ordered.index(validated.days[-1]) + 1)
        stores.quarantine.append(validated.quarantine(), applied)
        stores.cleaned.append(
            validated.cleaned(), Applied(applied.app_id, applied.version, is_once=True)
        )

    _validate_and_write(stores, ordered[done:], batch_id, append)
    account_cleaned(stores, days, batch_id)


def is_batch_cleaned(stores: StreamStores, batch_id: str, days: Collection[date]) -> bool:
    """Whether `clean_batch` has done all dates of a batch; if not, a rebuild may have done them."""
    return (stores.cleaned.applied_version(batch_id) or 0) >= len(days)


def rebuild_days(stores: StreamStores, days: Sequence[date], without: Collection[str] = ()) -> None:
    """Rebuild cleaned and quarantine of some days from raw, a slice of days in one commit.

    Leaves out the records of the quarantined batches `without`.
    """

    def replace(validated: ValidatedDays) -> None:
        stores.quarantine.replace(validated.days, validated.quarantine())
        stores.cleaned.replace(validated.days, validated.cleaned())

    _validate_and_write(stores, sorted(days), None, replace, without)
    account_cleaned(stores, days, without=without)


def slices(
    table: LakeTable,
    days: Sequence[date],
    engine: DuckDBEngine,
    batch_id: str | None = None,
    at_most: int = SLICE_ROWS,
) -> list[Slice]:
    """Cut days into slices of at most `at_most` records for which the engine has enough memory.

    A day with more records, by the footers of its files, is a slice of its own, done in parts.
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


def _validate_and_write(
    stores: StreamStores,
    days: Sequence[date],
    batch_id: str | None,
    write: Callable[[ValidatedDays], None],
    without: Collection[str] = (),
) -> None:
    """Validate and write slice after slice: while one is written, the next one is validated.

    Slices are written in order, one at a time. A slice that needs more memory than the engine has
    is processed in parts.
    """

    def in_parts(days_of_slice: Sequence[date]) -> None:
        for day in days_of_slice:
            with validated_in_parts(stores, [day], batch_id, without) as validated:
                write(validated)

    with ThreadPoolExecutor(max_workers=1) as writer:
        writing: Future[None] | None = None
        before: Sequence[date] = ()
        for each in slices(stores.raw, days, stores.engine, batch_id):
            opened: ExitStack | None = None
            validated: ValidatedDays | None = None
            if not each.in_parts:
                opened, validated = _opened(stores, each.days, batch_id, without)
            if writing is not None and not _is_written(writing):
                if opened is not None:
                    opened.close()
                in_parts(before)
                opened = None
            writing = None
            if opened is None or validated is None:
                in_parts(each.days)
                continue
            writing = writer.submit(_write_and_close, write, validated, opened)
            before = each.days
        if writing is not None and not _is_written(writing):
            in_parts(before)


def _opened(
    stores: StreamStores,
    days: Sequence[date],
    batch_id: str | None,
    without: Collection[str],
) -> tuple[ExitStack, ValidatedDays] | tuple[None, None]:
    """Validated days and what closes them; (None, None) if the engine has too little memory."""
    with ExitStack() as opened:
        try:
            validated = opened.enter_context(_whole_days(stores, days, batch_id, without))
        except duckdb.OutOfMemoryException as error:
            if is_of_disk(error):
                raise
            return None, None
        return opened.pop_all(), validated


def _is_written(writing: Future[None]) -> bool:
    """Wait for a slice; false if the engine had too little memory and nothing was written."""
    try:
        writing.result()
    except duckdb.OutOfMemoryException as error:
        if is_of_disk(error):
            raise
        return False
    return True


def _write_and_close(
    write: Callable[[ValidatedDays], None], validated: ValidatedDays, open_session: ExitStack
) -> None:
    with open_session:
        write(validated)


@contextmanager
def _whole_days(
    stores: StreamStores,
    days: Sequence[date],
    batch_id: str | None,
    without: Collection[str],
) -> Iterator[WholeDays]:
    """Validate the records of some days: the pending ones of one batch, or those of all batches."""
    contract = stores.contract
    with stores.engine.session() as session:
        raw = session.scan(stores.raw.files(days), stores.raw.schema, list(INPUT))
        landed = None
        if batch_id is not None:
            batch = session.constant(batch_id)
            of_batch = raw.filter(raw.batch_id == batch)
            raw = pending(of_batch, _positions(session, stores, days, batch))
            landed = _landed_keys(session, stores, days)
        for left_out in sorted(without):
            raw = raw.filter(raw.batch_id != session.constant(left_out))
        with validated_records(session, raw, contract) as records:
            accepted = records.filter(records.reasons == "")
            rejected = records.filter(records.reasons != "")
            with session.stored(duplicates(accepted, contract, landed)) as doubled:
                again = accepted.semi_join(doubled, list(POSITION))
                quarantined = _quarantined(
                    rejected, rejected.reasons.split(SEPARATOR), "rejected"
                ).union(_quarantined(again, ibis.array(["duplicate"]), "duplicate"))
                yield WholeDays(
                    session, contract, days, without_positions(accepted, doubled), quarantined
                )


def _positions(
    session: Session, stores: StreamStores, days: Sequence[date], batch: ir.StringValue
) -> ir.Table:
    """The batch's positions that a rebuild or an interrupted call has written to a table."""
    found = [
        session.scan(table.files(days), table.schema, list(POSITION))
        for table in (stores.cleaned, stores.quarantine)
    ]
    both = found[0].union(found[1])
    return both.filter(both.batch_id == batch)


def _landed_keys(session: Session, stores: StreamStores, days: Sequence[date]) -> ir.Table:
    columns = ["event_date", *stores.contract.key]
    return session.scan(stores.cleaned.files(days), stores.cleaned.schema, columns)


def _quarantined(rows: ir.Table, reasons: ir.ArrayValue, kind: str) -> ir.Table:
    names = [n for n in QUARANTINE.names if n not in ("value", "reasons", "verdict")]
    return rows.select(*names, value=rows.record_bytes, reasons=reasons, verdict=ibis.literal(kind))
