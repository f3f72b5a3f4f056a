"""The rows of a contract that is not in force yet, collected day by day beside the tables.

Belongs here: making them from raw, and which days are made already. They are in tables of their
own, so readers and loads see nothing of them. A day is made again if its raw records have changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from social_assets.contracts.changes.difference import renames
from social_assets.contracts.contract import Contract
from social_assets.lake.delta import Applied, LakeTable
from social_assets.lake.row_groups import read_parts, row_groups
from social_assets.pipeline.clean import validated_days
from social_assets.pipeline.contracts.contract_in_force import ContractInForce
from social_assets.pipeline.contracts.event_days import check_days
from social_assets.pipeline.day_slices import slices
from social_assets.pipeline.quarantined_batches import is_of_the_batch, quarantined
from social_assets.pipeline.stores import StreamStores

PART_ROWS = 32_768


class RowsNotConvertibleError(RuntimeError):
    """Rows whose raw records are gone can't take the columns of a contract."""


@dataclass(frozen=True)
class StagedRows:
    """The rows of a stream under contract `number`, which is the declared one."""

    stores: StreamStores
    number: int

    @property
    def cleaned(self) -> LakeTable:
        """The accepted rows."""
        return self.stores.stores.lake.staged("cleaned", self.stores.declared, self.number)

    @property
    def quarantine(self) -> LakeTable:
        """The rejected and duplicate rows."""
        return self.stores.stores.lake.staged("quarantine", self.stores.declared, self.number)

    def missing_days(self) -> list[date]:
        """The days of raw that are not made, or whose raw records changed since."""
        versions = _versions(self.stores.raw)
        made = self.cleaned.applied_versions(_app_id(day) for day in versions)
        return sorted(day for day, version in versions.items() if made.get(_app_id(day)) != version)

    def make(self, days: Sequence[date]) -> Iterator[tuple[date, ...]]:
        """Make days from raw, a slice of days in one commit; yields each slice when it is made."""
        for part in slices(self.stores.raw, sorted(days)):
            versions = _versions(self.stores.raw)
            try:
                self._make(part, versions, ())
            except Exception as error:
                left_out = quarantined(self.stores)
                if not left_out or not is_of_the_batch(error):
                    raise
                self._make(part, versions, tuple(left_out))
            yield part

    def _make(
        self, days: Sequence[date], versions: dict[date, int], without: Sequence[str]
    ) -> None:
        if any(change.effect == "dates" for change in self.stores.in_force.changes):
            check_days(self.stores, days, without)
        declared = self.stores.under(
            ContractInForce(self.stores.declared, self.stores.declared, is_recorded=True)
        )
        opened, validated = validated_days(declared, days, without)
        with opened:
            made = [Applied(_app_id(day), versions[day]) for day in days if day in versions]
            self.quarantine.replace(days, validated.quarantine())
            self.cleaned.replace(days, validated.cleaned(), *made)

    def put_in_force(self, applied: Sequence[Applied]) -> None:
        """Replace the rows of both tables. The caller must hold the lock and have made all days.

        Rows of days whose raw records are gone are converted. The commit of the cleaned table has
        the transactions `applied`.
        """
        lake, declared, old = self.stores.stores.lake, self.stores.declared, self.stores
        in_raw = {day for day, rows in old.raw.rows_by_day().items() if rows}
        kept_cleaned = sorted({d for d, n in old.cleaned.rows_by_day().items() if n} - in_raw)
        kept_quarantine = sorted({d for d, n in old.quarantine.rows_by_day().items() if n} - in_raw)
        new = lake.table("cleaned", declared)
        former = renames(old.contract, declared)

        def converted() -> Iterator[pa.RecordBatch]:
            for each in _rows(old, old.cleaned, kept_cleaned):
                yield _converted(each, new.schema, declared, former)

        for _ in converted():
            pass  # raises before anything is changed
        days = sorted(in_raw)
        old.quarantine.replace_all(
            _chain(_rows(old, self.quarantine, days), _rows(old, old.quarantine, kept_quarantine))
        )
        new.replace_all(_chain(_rows(old, self.cleaned, days), converted()), *applied)

    def remove(self) -> None:
        """Delete the tables."""
        self.cleaned.remove()
        self.quarantine.remove()


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


def _versions(raw: LakeTable) -> dict[date, int]:
    """A number for the records of each day, which changes when its files do."""
    by_day: dict[date, list[str]] = {}
    for file in raw.files():
        day = date.fromisoformat(file.rpartition("event_date=")[2][:10])
        by_day.setdefault(day, []).append(file)
    return {
        day: int.from_bytes(hashlib.sha256("\n".join(sorted(files)).encode()).digest()[:7], "big")
        for day, files in by_day.items()
    }


def _app_id(day: date) -> str:
    return f"day:{day}"
