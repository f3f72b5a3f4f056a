"""Raw's records under the event dates of a contract that is not in force yet.

Belongs here: finding the dates, and which days of raw are divided anew already. The records are in
a table of their own, divided by the day that they have in raw as well as by their new one: a day of
raw that changes meanwhile is divided again, and a new day is read without the others. Their bytes
and provenance stay as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from social_assets.lake.delta import Applied, LakeTable
from social_assets.lake.row_groups import read_parts, row_groups
from social_assets.lake.schemas import LANDED_DATE
from social_assets.pipeline.contracts.day_versions import missing_days, version_of, versions
from social_assets.pipeline.day_slices import slices
from social_assets.pipeline.quarantined_batches import is_of_the_batch, quarantined
from social_assets.pipeline.stores import StreamStores
from social_assets.transform.validate_block import EventDates

REDIVIDED = "redivided"
"""The application id whose version in raw is the number of the contract whose event dates divide
it."""

PART_ROWS = 32_768


@dataclass(frozen=True)
class RedividedRaw:
    """The records of raw under the event dates of contract `number`, which is the declared one."""

    stores: StreamStores
    number: int

    @property
    def table(self) -> LakeTable:
        """The records, each with its new event date and, as LANDED_DATE, its day in raw."""
        return self.stores.stores.lake.redivided(self.stores.declared, self.number)

    def missing_days(self) -> list[date]:
        """The days of raw that are not divided anew, or whose records changed since."""
        return missing_days(self.stores.raw, self.table)

    def make(self, days: Sequence[date]) -> None:
        """Divide days of raw anew, a slice of them in one commit."""
        for part in slices(self.stores.raw, sorted(days)):
            found = versions(self.stores.raw)
            made = [Applied(version_of(day), found[day]) for day in part if day in found]
            try:
                self._replace(part, (), made)
            except Exception as error:
                left_out = quarantined(self.stores)
                if not left_out or not is_of_the_batch(error):
                    raise
                self._replace(part, tuple(left_out), made)

    def rows(self) -> Iterator[pa.RecordBatch]:
        """All records with the columns of raw."""
        names = self.stores.raw.schema.names
        days = sorted(self.table.rows_by_day())
        yield from _parts(self.stores, self.table, days, names)

    def _replace(
        self, days: Sequence[date], without: Collection[str], made: Sequence[Applied]
    ) -> None:
        rows = self._redivided(days, without)
        reader = pa.RecordBatchReader.from_batches(self.table.schema, rows)
        self.table.replace(days, reader, *made, by=LANDED_DATE.name)

    def _redivided(
        self, days: Sequence[date], without: Collection[str]
    ) -> Iterator[pa.RecordBatch]:
        """The records of some days; those of the batches `without` keep their day."""
        stores, schema = self.stores, self.table.schema
        left_out = pa.array(sorted(without), pa.string())
        with stores.engine.session() as session:
            declared = EventDates(session, stores.declared)
            deployed = EventDates(session, stores.contract)
            for batch in _parts(stores, stores.raw, days, stores.raw.schema.names):
                block = pa.Table.from_batches([batch])
                is_left = pc.is_in(block["batch_id"], left_out)
                stay, rows = block.filter(is_left), block.filter(pc.invert(is_left))
                if rows.num_rows:
                    yield from _dated(rows, _days(rows, declared, deployed), schema)
                if stay.num_rows:
                    yield from _dated(stay, stay["event_date"], schema)


def _days(rows: pa.Table, declared: EventDates, deployed: EventDates) -> pa.ChunkedArray:
    """The event dates under the declared contract.

    A record moves if the two contracts differ about it: one that only landed under another first
    date of the installation stays where it is.
    """
    before = rows["event_date"]
    after = declared.of(rows)["event_date"]
    if not pc.any(pc.not_equal(after, before)).as_py():
        return before
    differs = pc.not_equal(after, deployed.of(rows)["event_date"])
    return pa.chunked_array([pc.if_else(*map(_whole, (differs, after, before)))])


def _dated(rows: pa.Table, days: pa.ChunkedArray, schema: pa.Schema) -> list[pa.RecordBatch]:
    columns = {name: rows[name] for name in rows.column_names}
    columns |= {"event_date": days, LANDED_DATE.name: rows["event_date"]}
    made = pa.table({name: columns[name] for name in schema.names})
    return [*made.cast(schema).to_batches()]


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks()


def _parts(
    stores: StreamStores, table: LakeTable, days: Sequence[date], names: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    for part in read_parts(
        table,
        row_groups(table, days),
        names,
        part_bytes=stores.engine.part_bytes,
        part_rows=PART_ROWS,
    ):
        yield from part.combine_chunks().to_batches()
