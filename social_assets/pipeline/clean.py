"""The second step: writes each raw record either to cleaned or to quarantine.

Belongs here: what is read from raw and written, for a batch (append) and for whole days (replace).
The validation of the records belongs to `validation`, that of micro-batches to `micro_batch`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from social_assets.lake.delta import Applied, LakeTable
from social_assets.lake.row_groups import read_parts, row_groups
from social_assets.pipeline.day_slices import slices
from social_assets.pipeline.ledger_counts import account_cleaned, enter_cleaned
from social_assets.pipeline.prefetch import prefetch
from social_assets.pipeline.privacy.forgotten_records import stream_validator
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.validation.records import Counts, ValidatedRecords, validation
from social_assets.pipeline.validation.rows import input_columns
from social_assets.transform.validate_block import BlockValidator

BLOCK_ROWS = 65_536


def append_batch(
    stores: StreamStores, batch_id: str, version: int, validated: ValidatedRecords
) -> None:
    """Append a batch to quarantine and cleaned: one commit a table, with the batch's transaction.

    `version` is the number of all the batch's dates.
    """
    if not validated.is_quarantine_empty:
        stores.quarantine.append(validated.quarantine(), Applied(batch_id, version))
    stores.cleaned.append(validated.cleaned(), Applied(batch_id, version, is_once=True))


def clean_batch(stores: StreamStores, batch_id: str, days: Sequence[date]) -> None:
    """Clean a batch that an interrupted call has landed; `days` are all of its event dates.

    Leaves out the records that a table has already. Earlier rows of the same key and date win.
    """
    if is_batch_cleaned(stores, batch_id, days):
        account_cleaned(stores, days, batch_id)
        return
    with (
        stores.engine.session() as session,
        validation(stores, session, stream_validator(stores, session)) as records,
        prefetch(_pending_blocks(stores, days, batch_id)) as blocks,
    ):
        for block in blocks:
            records.add(block)
        append_batch(stores, batch_id, len(days), records.finished())
    account_cleaned(stores, days, batch_id)


def is_batch_cleaned(stores: StreamStores, batch_id: str, days: Collection[date]) -> bool:
    """Whether a batch was appended with all its dates; if not, a rebuild may have cleaned them."""
    return (stores.cleaned.applied_version(batch_id) or 0) >= len(days)


def rebuild_days(stores: StreamStores, days: Sequence[date], without: Collection[str] = ()) -> None:
    """Rebuild cleaned and quarantine of some days from raw, a slice of days in one commit.

    Leaves out the records of the quarantined batches `without`. While a slice is written, the next
    one is validated.
    """
    counts: list[Counts] = []
    with (
        block_validator(stores) as validator,
        ExitStack() as last,
        ThreadPoolExecutor(max_workers=1) as writer,
    ):
        writing: Future[None] | None = None
        for slice_days in slices(stores.raw, sorted(days)):
            opened, validated = validated_days(stores, validator, slice_days, without)
            counts += validated.counts
            with opened:
                if writing is not None:
                    writing.result()
                last.pop_all().close()
                writing = writer.submit(_replace, stores, slice_days, validated)
                last.push(opened.pop_all())
        if writing is not None:
            writing.result()
    # After all slices: of a batch that is entered here, `recover` swaps the days as a whole.
    enter_cleaned(stores, sorted(counts, key=lambda each: each.batch))


@contextmanager
def block_validator(stores: StreamStores) -> Iterator[BlockValidator]:
    """A validator for all slices of a rebuild: making its query takes as long as 80,000 records."""
    with stores.engine.session() as session:
        yield stream_validator(stores, session)


def validated_days(
    stores: StreamStores,
    validator: BlockValidator,
    days: Sequence[date],
    without: Collection[str],
    source: LakeTable | None = None,
) -> tuple[ExitStack, ValidatedRecords]:
    """The validated records of some days, for a rebuild, and what deletes their files.

    `source` is the table that has them, if it is not raw.
    """
    with ExitStack() as opened:
        session = opened.enter_context(stores.engine.session())
        records = opened.enter_context(validation(stores, session, validator))
        with prefetch(_raw_blocks(stores, source or stores.raw, days, without)) as blocks:
            for block in blocks:
                records.add(block)
        return opened.pop_all(), records.finished(is_rebuild=True)


def _raw_blocks(
    stores: StreamStores, source: LakeTable, days: Sequence[date], without: Collection[str]
) -> Iterator[pa.Table]:
    """The raw records of some days in blocks, without those of some batches."""
    left_out = pa.array(sorted(without), pa.string())
    for block in _blocks(stores, source, days):
        rows = block
        if without:
            rows = rows.filter(pc.invert(pc.is_in(rows["batch_id"], left_out)))
        if rows.num_rows:
            yield rows


def _replace(stores: StreamStores, days: Sequence[date], validated: ValidatedRecords) -> None:
    stores.quarantine.replace(days, validated.quarantine())
    stores.cleaned.replace(days, validated.cleaned())


def _blocks(
    stores: StreamStores, source: LakeTable, days: Sequence[date], batch_id: str | None = None
) -> Iterator[pa.Table]:
    """The raw records of some days in blocks, of all batches or of one."""
    return read_parts(
        source,
        row_groups(source, days, batch_id),
        input_columns(stores.contract),
        part_bytes=stores.engine.part_bytes,
        part_rows=BLOCK_ROWS,
        batch_id=batch_id,
    )


def _pending_blocks(
    stores: StreamStores, days: Sequence[date], batch_id: str
) -> Iterator[pa.Table]:
    """The records of a batch that neither cleaned nor quarantine has."""
    done = done_offsets(stores, days, batch_id)
    for block in _blocks(stores, stores.raw, days, batch_id):
        rows = block
        if len(done):
            rows = rows.filter(pc.invert(pc.is_in(rows["offset"], done)))
        if rows.num_rows:
            yield rows


def done_offsets(stores: StreamStores, days: Sequence[date], batch_id: str) -> pa.Array:
    """The offsets of a file's records that a table already has. A file has one partition."""
    found = []
    with stores.engine.session() as session:
        batch = session.constant(batch_id)
        for table in (stores.cleaned, stores.quarantine):
            rows = session.scan(table.files(days), table.schema, ["batch_id", "offset"])
            found.append(session.table(rows.filter(rows.batch_id == batch).select("offset")))
    return pa.concat_tables(found)["offset"].combine_chunks()
