"""The rows of a contract that is not in force yet, collected day by day beside the tables.

Belongs here: making them from raw, and which days are made already. They are in tables of their
own, so readers and loads see nothing of them. A day is made again if its raw records have changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from social_assets.contracts.changes.difference import renames
from social_assets.contracts.contract import Contract
from social_assets.lake.delta import Applied, LakeTable
from social_assets.lake.row_groups import read_parts, row_groups
from social_assets.pipeline.clean import block_validator, validated_days
from social_assets.pipeline.contracts.contract_in_force import ContractInForce
from social_assets.pipeline.contracts.day_versions import missing_days, version_of, versions
from social_assets.pipeline.contracts.redivided_raw import REDIVIDED, RedividedRaw
from social_assets.pipeline.day_slices import slices
from social_assets.pipeline.quarantined_batches import is_of_the_batch, quarantined
from social_assets.pipeline.stores import StreamStores
from social_assets.transform.validate_block import BlockValidator

PART_ROWS = 32_768


class RowsNotConvertibleError(RuntimeError):
    """Rows whose raw records are gone can't take the columns of a contract."""


@dataclass(frozen=True)
class StagedRows:
    """The rows of a stream under contract `number`, which is the declared one.

    `moves`: raw is divided anew by the contract's event dates, and the rows are made from that.
    """

    stores: StreamStores
    number: int
    moves: bool = False

    @property
    def cleaned(self) -> LakeTable:
        """The accepted rows."""
        return self.stores.stores.lake.staged("cleaned", self.stores.declared, self.number)

    @property
    def quarantine(self) -> LakeTable:
        """The rejected and duplicate rows."""
        return self.stores.stores.lake.staged("quarantine", self.stores.declared, self.number)

    @property
    def redivided(self) -> RedividedRaw:
        """Raw under the contract's event dates."""
        return RedividedRaw(self.stores, self.number)

    @property
    def source(self) -> LakeTable:
        """The records that the rows are made from."""
        return self.redivided.table if self.moves else self.stores.raw

    def make_missing(self) -> None:
        """Make the days that are not made, or whose raw records changed since."""
        if self.moves:
            self.redivided.make(self.redivided.missing_days())
        self.make(missing_days(self.source, self.cleaned))

    def make(self, days: Sequence[date]) -> None:
        """Make days from raw, a slice of days in one commit."""
        declared = self.stores.under(
            ContractInForce(self.stores.declared, self.stores.declared, is_recorded=True)
        )
        with block_validator(declared) as validator:
            for part in slices(self.source, sorted(days)):
                found = versions(self.source)
                try:
                    self._make(declared, validator, part, found, ())
                except Exception as error:
                    left_out = quarantined(self.stores)
                    if not left_out or not is_of_the_batch(error):
                        raise
                    self._make(declared, validator, part, found, tuple(left_out))

    def _make(
        self,
        declared: StreamStores,
        validator: BlockValidator,
        days: Sequence[date],
        found: dict[date, int],
        without: Sequence[str],
    ) -> None:
        opened, validated = validated_days(declared, validator, days, without, self.source)
        with opened:
            made = [Applied(version_of(day), found[day]) for day in days if day in found]
            self.quarantine.replace(days, validated.quarantine())
            self.cleaned.replace(days, validated.cleaned(), *made)

    def put_in_force(self, *applied: Applied) -> None:
        """Replace the rows of the tables. The caller must hold the lock and have made all days.

        Rows of days whose raw records are gone are converted. The commit of the cleaned table has
        the transactions `applied`. If records move, the commit of raw comes first; whoever takes
        the lock after a kill calls this again (`complete_division`).
        """
        lake, declared, old = self.stores.stores.lake, self.stores.declared, self.stores
        days = _others(self.source, ())
        # Where records move, no raw record is gone: a day without them has none any more.
        kept_cleaned, kept_quarantine = (
            [] if self.moves else _others(table, days) for table in (old.cleaned, old.quarantine)
        )
        new = lake.table("cleaned", declared)
        former = renames(old.contract, declared)

        def converted() -> Iterator[pa.RecordBatch]:
            for each in _rows(old, old.cleaned, kept_cleaned):
                yield _converted(each, new.schema, declared, former)

        for _ in converted():
            pass  # raises before anything is changed
        quarantine = old.quarantine.written(
            _chain(_rows(old, self.quarantine, days), _rows(old, old.quarantine, kept_quarantine))
        )
        cleaned = new.written(_chain(_rows(old, self.cleaned, days), converted()))
        if self.moves and (old.raw.applied_version(REDIVIDED) or 0) < self.number:
            raw = old.raw.written(self.redivided.rows())
            old.raw.commit_all(raw, Applied(REDIVIDED, self.number))
        old.quarantine.commit_all(quarantine)
        new.commit_all(cleaned, *applied)

    def remove(self) -> None:
        """Delete the tables."""
        for table in (self.redivided.table, self.cleaned, self.quarantine):
            table.remove()


def _others(table: LakeTable, days: Collection[date]) -> list[date]:
    """The days that have rows, without `days`."""
    return sorted(day for day, rows in table.rows_by_day().items() if rows and day not in days)


def _chain(*rows: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for each in rows:
        yield from each


def _rows(stores: StreamStores, table: LakeTable, days: Sequence[date]) -> Iterator[pa.RecordBatch]:
    if not days:
        return
    parts = read_parts(
        table,
        row_groups(table, days),
        table.schema.names,
        part_bytes=stores.engine.part_bytes,
        part_rows=PART_ROWS,
    )
    for part in parts:
        yield from part.to_batches()


def _converted(
    rows: pa.RecordBatch, schema: pa.Schema, declared: Contract, former: dict[str, str]
) -> pa.RecordBatch:
    """Rows with other columns: renamed, cast, and filled with defaults."""
    columns = []
    for field in schema:
        name = former.get(field.name, field.name)
        column = declared.columns.get(field.name)
        try:
            if name in rows.schema.names:
                values = rows.column(name).cast(field.type)
            else:
                values = pa.nulls(rows.num_rows, field.type)
            if values.null_count and column is not None and column.default is not None:
                values = values.fill_null(pa.scalar(column.default, field.type))
        except pa.ArrowInvalid as error:
            raise _not_convertible(declared, field.name, str(error)) from error
        if values.null_count and not field.nullable:
            raise _not_convertible(declared, field.name, "it is null in some rows")
        columns.append(values)
    return pa.record_batch(columns, schema=schema)


def _not_convertible(declared: Contract, column: str, reason: str) -> RowsNotConvertibleError:
    return RowsNotConvertibleError(
        f"{declared.name}: rows whose raw records are gone can't take the new column {column} "
        f"({reason}); nothing was changed. Give the column a default, or let it be nullable, or "
        "keep its type"
    )
