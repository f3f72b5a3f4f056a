"""Cleans days that are too large for the engine's memory, part by part.

A large day's raw records are validated in parts of bounded bytes, and the results are written to
files in the spill folder. When all parts are validated, positions and key hashes tell which records
are duplicates. Then the rows are read from the files and written to the tables. Days of ordinary
size belong to `clean`, and get the same result.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from social_assets.lake.row_groups import read_parts, row_groups
from social_assets.lake.schemas import PROVENANCE, QUARANTINE, RAW, cleaned_schema
from social_assets.pipeline.micro_batch import INPUT_COLUMNS, rejected_rows, repeated_rows
from social_assets.pipeline.stores import StreamStores
from social_assets.transform.duckdb_engine import Session
from social_assets.transform.first_landed import FirstLanded
from social_assets.transform.landed_keys import KEY_HASH, KEY_HASH_TYPE, key_hash
from social_assets.transform.validate_block import BlockValidator

PART_ROWS = 131_072
_COMPRESSED = pa.ipc.IpcWriteOptions(compression="lz4")


@dataclass(frozen=True)
class DaysInParts:
    """The validated records of some days, in files.

    `is_repeated` tells for each accepted record, in the order of the file, if it is a duplicate.
    """

    days: Sequence[date]
    schema: pa.Schema
    accepted: Path
    rejected: Path
    is_repeated: NDArray[np.bool_]

    def cleaned(self) -> pa.RecordBatchReader:
        """The rows of the cleaned table."""
        return pa.RecordBatchReader.from_batches(self.schema, self._cleaned())

    def quarantine(self) -> pa.RecordBatchReader:
        """The rows of the quarantine table."""
        return pa.RecordBatchReader.from_batches(QUARANTINE, self._quarantine())

    def _cleaned(self) -> Iterator[pa.RecordBatch]:
        for batch, is_repeated in self._accepted():
            first = batch.filter(pa.array(~is_repeated))
            if first.num_rows:
                yield first

    def _quarantine(self) -> Iterator[pa.RecordBatch]:
        yield from _spilled(self.rejected)
        for batch, is_repeated in self._accepted():
            again = pa.Table.from_batches([batch.filter(pa.array(is_repeated))])
            yield from repeated_rows(again).combine_chunks().to_batches()

    def _accepted(self) -> Iterator[tuple[pa.RecordBatch, NDArray[np.bool_]]]:
        row = 0
        for batch in _spilled(self.accepted):
            yield batch, self.is_repeated[row : row + batch.num_rows]
            row += batch.num_rows


@contextmanager
def validated_in_parts(
    stores: StreamStores,
    days: Sequence[date],
    batch_id: str | None,
    without: Collection[str] = (),
) -> Iterator[DaysInParts]:
    """Validate the records of some days: the pending ones of one batch, or those of all batches
    except `without`.
    """
    schema = cleaned_schema(stores.contract)
    with (
        TemporaryDirectory(prefix="parts-", dir=stores.engine.spill_folder()) as folder,
        stores.engine.session() as session,
    ):
        accepted, rejected = Path(folder, "accepted.arrow"), Path(folder, "rejected.arrow")
        keys = FirstLanded(session)
        if batch_id is not None:
            for landed in _landed_keys(stores, days):
                keys.add_landed(landed)
        validator = BlockValidator(session, stores.contract)
        rows = 0
        with _writer(accepted, schema) as to_accepted, _writer(rejected, QUARANTINE) as to_rejected:
            for raw in _pending_parts(stores, session, days, batch_id, without):
                validated = validator.of(raw)
                good = pc.equal(validated["reasons"], "")
                cleaned = _cleaned_rows(raw.filter(good), validated.filter(good), schema)
                keys.add(cleaned.append_column(KEY_HASH, validated[KEY_HASH].filter(good)), rows)
                rows += cleaned.num_rows
                to_accepted.write_table(cleaned)
                bad = pc.invert(good)
                rejected_here = rejected_rows(raw.filter(bad), validated["reasons"].filter(bad))
                to_rejected.write_table(rejected_here)
        yield DaysInParts(days, schema, accepted, rejected, keys.repeated(rows))


def _cleaned_rows(raw: pa.Table, validated: pa.Table, schema: pa.Schema) -> pa.Table:
    of_raw = {*PROVENANCE.names, "event_date"}
    columns = {name: (raw if name in of_raw else validated)[name] for name in schema.names}
    return pa.table(columns).cast(schema)


def _pending_parts(
    stores: StreamStores,
    session: Session,
    days: Sequence[date],
    batch_id: str | None,
    without: Collection[str],
) -> Iterator[pa.Table]:
    parts = read_parts(
        stores.raw,
        row_groups(stores.raw, days, batch_id),
        INPUT_COLUMNS,
        part_bytes=stores.engine.part_bytes,
        part_rows=PART_ROWS,
        batch_id=batch_id,
    )
    done = _done_offsets(stores, session, days, batch_id) if batch_id is not None else None
    for part in parts:
        rows = part
        if without:
            known = pa.array(sorted(without), pa.string())
            rows = rows.filter(pc.invert(pc.is_in(rows["batch_id"], known)))
        if done is not None and len(done):
            rows = rows.filter(pc.invert(pc.is_in(rows["offset"], done)))
        if rows.num_rows:
            yield rows


def _done_offsets(
    stores: StreamStores, session: Session, days: Sequence[date], batch_id: str
) -> pa.Array:
    """The offsets of a file's records that a table already has. A file has one partition."""
    batch = session.constant(batch_id)
    found = []
    for table in (stores.cleaned, stores.quarantine):
        rows = session.scan(table.files(days), table.schema, ["batch_id", "offset"])
        found.append(session.table(rows.filter(rows.batch_id == batch).select("offset")))
    return pa.concat_tables(found)["offset"].combine_chunks()


def _landed_keys(stores: StreamStores, days: Sequence[date]) -> Iterator[pa.Table]:
    contract, cleaned = stores.contract, stores.cleaned
    schema = pa.schema([RAW.field("event_date"), pa.field(KEY_HASH, KEY_HASH_TYPE)])
    # A second session: the first one stores the keys while this one reads them.
    with stores.engine.session() as session:
        rows = session.scan(cleaned.files(days), cleaned.schema, ["event_date", *contract.key])
        hashes = rows.select("event_date", **{KEY_HASH: key_hash(rows, contract)})
        for batch in session.stream(hashes, schema):
            yield pa.Table.from_batches([batch])


@contextmanager
def _writer(path: Path, schema: pa.Schema) -> Iterator[pa.ipc.RecordBatchStreamWriter]:
    with (
        pa.OSFile(str(path), "wb") as file,
        pa.ipc.new_stream(file, schema, options=_COMPRESSED) as rows,
    ):
        yield rows


def _spilled(path: Path) -> Iterator[pa.RecordBatch]:
    with pa.OSFile(str(path), "rb") as file, pa.ipc.open_stream(file) as batches:
        yield from batches
