"""One Delta table of the lake: append once, replace days, count without reading.

Belongs here: all use of Delta's library. A write is one commit. A write that must not happen twice
carries a transaction (application id and version), which Delta stores in the same commit. Counts
come from the log, so that an invariant needs no scan.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import (
    ColumnProperties,
    CommitProperties,
    DeltaTable,
    Transaction,
    WriterProperties,
    write_deltalake,
)
from deltalake import Schema as DeltaSchema
from deltalake.exceptions import CommitFailedError, TableNotFoundError
from deltalake.transaction import AddAction
from pyarrow.fs import SubTreeFileSystem

from social_assets.lake.data_files import (
    ROW_GROUP_ROWS,
    Target,
    is_narrow,
    with_columns,
    write_files,
)
from social_assets.lake.storage.errors import storage_errors
from social_assets.lake.storage.file_system import remove_files, storage_of
from social_assets.lake.storage.locations import locations
from social_assets.lake.storage.repeated_commits import found_if_made

_VERBATIM = ColumnProperties(dictionary_enabled=False, statistics_enabled="NONE")
"""How raw bytes are written: without a dictionary, as they are rarely equal, and without
statistics, as a minimum value of 100 MB in a page's header makes the file unreadable for other
readers."""

GIVEN_UP_KEPT_HOURS = 2
"""How many hours a file remains after the table no longer uses it: as long as a query may run that
has listed it.

With a longer time, the thousands of files an hour that streaming replaces are in every
checkpoint."""

PROPERTIES: Mapping[str, str] = {
    "delta.deletedFileRetentionDuration": f"interval {GIVEN_UP_KEPT_HOURS} hours",
    # Opening a table lists its log, to which streaming adds some commits a second.
    "delta.logRetentionDuration": "interval 15 minutes",
}
"""The properties of every table."""


@dataclass(frozen=True)
class Applied:
    """A transaction: the table has taken version `version` of the application `app_id`."""

    app_id: str
    version: int
    is_once: bool = False
    """Whether a write is refused if the table already has this version or a later one."""
    is_next: bool = False
    """Whether a write is refused unless the table's version is `before` (None: it has none)."""
    before: int | None = None


class AppliedElsewhereError(RuntimeError):
    """Another writer has committed the same transaction; nothing was written."""

    def __init__(self, uri: str, applied: Iterable[Applied]) -> None:
        listed = ", ".join(each.app_id for each in applied) or "rows"
        super().__init__(
            f"another writer took {listed} into the lake's table {uri} meanwhile; nothing was "
            "written twice. Let all writers of an installation use one home, and give the same "
            "command again: it goes on from what is there"
        )


@dataclass(frozen=True)
class LakeTable:
    """A Delta table at a folder or URL, partitioned by `partition_by`; the first write
    creates it.
    """

    uri: str
    schema: pa.Schema
    partition_by: tuple[str, ...]
    storage_options: Mapping[str, str] = field(default_factory=dict)

    def applied_version(self, app_id: str) -> int | None:
        """The highest version of an application id that the table has taken, None if none."""
        table = self._open()
        return None if table is None else table.transaction_version(app_id)

    def applied_versions(self, app_ids: Iterable[str]) -> dict[str, int]:
        """The highest version of each application id that the table knows."""
        table = self._open()
        found = {} if table is None else {each: table.transaction_version(each) for each in app_ids}
        return {each: version for each, version in found.items() if version is not None}

    def append(self, rows: pa.RecordBatchReader | pa.Table, *applied: Applied) -> None:
        """Append rows in one commit, together with their transactions.

        The caller must hold the stream's lock, and must have checked that the table lacks these
        rows. A writer on another machine, which the lock does not stop, is refused by Delta's
        conflict check and by `is_once` and `is_next`: AppliedElsewhereError.
        """
        properties = _properties(applied)
        with storage_errors(self.uri), _single(self.uri, applied):
            table = self._complete()
            if there := [each for each in applied if _is_taken(table, each)]:
                raise AppliedElsewhereError(self.uri, there)
            if isinstance(rows, pa.Table) and is_narrow(rows):
                write_deltalake(
                    table,
                    rows,
                    mode="append",
                    writer_properties=self.writer_properties(),
                    commit_properties=properties,
                )
            else:
                files = self.write_files(table, rows)
                self._commit(table, files, "append", table.schema(), properties)

    def append_by(self, files: Sequence[AddAction], *applied: Applied) -> None:
        """Append the rows of `files` (see `rows_written`), as `append` does."""
        with storage_errors(self.uri), _single(self.uri, applied):
            table = self._complete()
            if there := [each for each in applied if _is_taken(table, each)]:
                raise AppliedElsewhereError(self.uri, there)
            self._commit(table, files, "append", table.schema(), _properties(applied))

    def replace(
        self,
        days: Iterable[date],
        rows: pa.RecordBatchReader,
        *applied: Applied,
        by: str = "event_date",
    ) -> None:
        """Replace all rows of `days` by `rows`, in one commit. Without rows, the days become empty.

        `by` is the partition column of the days. Raises ValueError, and changes nothing, if a row
        has another day.
        """
        with storage_errors(self.uri):
            table = self._complete()
            self._replace(table, days, self.write_files(table, rows), applied, by)

    def rows_written(self, rows: Iterable[pa.RecordBatch]) -> list[AddAction]:
        """Files for `append_by` or `replace_by`, also of a process that does not commit; without
        such a commit, maintenance deletes them.
        """
        with storage_errors(self.uri):
            return self.write_files(self._complete(), rows)

    def replace_by(
        self, days: Iterable[date], files: Sequence[AddAction], *applied: Applied
    ) -> None:
        """Replace all rows of `days` by those of `files`, as `replace` does."""
        with storage_errors(self.uri):
            self._replace(self._complete(), days, files, applied, "event_date")

    def _replace(
        self,
        table: DeltaTable,
        days: Iterable[date],
        files: Sequence[AddAction],
        applied: Iterable[Applied],
        by: str,
    ) -> None:
        replaced = {day.isoformat() for day in days}
        others = {each.partition_values[by] for each in files} - replaced
        if others:
            told = f"rows of {', '.join(sorted(map(str, others)))} can't replace other days"
            raise ValueError(f"the lake's table {self.uri}: {told}; nothing was changed")
        with self._found_if_made(files, applied, [(by, "in", sorted(replaced))]):
            table.create_write_transaction(
                [*files],
                mode="overwrite",
                schema=table.schema(),
                partition_by=list(self.partition_by),
                partition_filters=[(by, "in", sorted(replaced))],
                commit_properties=_properties(applied),
            )

    def replace_all(self, rows: Iterable[pa.RecordBatch], *applied: Applied) -> None:
        """Replace all rows, and the columns by those of `schema`, in one commit."""
        self.commit_all(self.written(rows), *applied)

    def written(self, rows: Iterable[pa.RecordBatch]) -> list[AddAction]:
        """Files for `commit_all`; without such a commit, maintenance deletes them."""
        with storage_errors(self.uri):
            self._created()
            target = Target(self.uri, self.schema, self.partition_by, self.storage_options)
            return write_files(target, rows)

    def commit_all(self, files: Sequence[AddAction], *applied: Applied) -> None:
        """Replace all rows by those of `files`, and the columns by those of `schema`."""
        properties = _properties(applied)
        with storage_errors(self.uri), self._found_if_made(files, applied, None):
            schema = DeltaSchema.from_arrow(self.schema)
            self._commit(self._created(), files, "overwrite", schema, properties)

    def record_applied(self, *applied: Applied) -> None:
        """Record transactions in a commit without rows."""
        self.widen((), (), *applied)

    def remove(self) -> None:
        """Delete the table with its files; also what a removal that was killed has left."""
        with storage_errors(self.uri):
            remove_files(self.uri, self.storage_options)

    def create(self, *applied: Applied) -> None:
        """Create the table with transactions, in one commit, unless it exists."""
        with storage_errors(self.uri), _single(self.uri, applied):
            self._open() or self._create(*applied)

    def widen(self, added: Sequence[pa.Field], nullable: Sequence[str], *applied: Applied) -> None:
        """Add nullable columns and allow nulls in others; the last commit has the transactions.

        A table that was widened in part takes the same rows as before. The caller must hold the
        stream's lock.
        """
        properties = _properties(applied)
        with storage_errors(self.uri), _single(self.uri, applied):
            table = self._created()
            strict = {f.name for f in table.schema().fields if not f.nullable}
            names = {f.name for f in table.schema().fields}
            for name in nullable:
                if name in strict:
                    table.alter.drop_column_not_null(name)
            lacking = [field.with_nullable(True) for field in added if field.name not in names]
            if lacking:
                fields = DeltaSchema.from_arrow(pa.schema(lacking)).fields
                table.alter.add_columns(fields, commit_properties=properties)
            else:
                self._commit(table, [], "append", table.schema(), properties)

    def columns(self) -> pa.Schema | None:
        """The columns that the table has; None if it does not exist."""
        table = self._open()
        return None if table is None else pa.schema(table.schema().to_arrow())

    def files(self, days: Iterable[date] | None = None) -> list[str]:
        """The data files of some days, or of all: paths of a local table, else URLs."""
        table = self._open()
        if table is None:
            return []
        if days is None:
            return locations(table)
        listed = list(days)
        return locations(table, [("event_date", "in", listed)]) if listed else []

    def files_since(self, column: str, after: datetime) -> list[str]:
        """The data files whose statistics allow rows with a later time in this column."""
        table = self._open()
        if table is None:
            return []
        return locations(table, [(column, ">", after)])

    def rows_by_day(self, **partition: str) -> dict[date, int]:
        """Rows of each event date, read from the log; `partition` filters by partition values."""
        table = self._open()
        if table is None:
            return {}
        actions = pa.table(table.get_add_actions(flatten=True))
        for column, value in partition.items():
            actions = actions.filter(pc.equal(actions[f"partition.{column}"], value))
        grouped = actions.group_by("partition.event_date").aggregate([("num_records", "sum")])
        days = grouped["partition.event_date"].cast(pa.date32()).to_pylist()
        return dict(sorted(zip(days, grouped["num_records_sum"].to_pylist(), strict=True)))

    def latest(self, column: str) -> datetime | None:
        """The latest time in a column, read from the log; None without rows."""
        table = self._open()
        if table is None:
            return None
        actions = pa.table(table.get_add_actions(flatten=True))
        return pc.max(actions[f"max.{column}"]).as_py() if actions.num_rows else None

    def read(self) -> pa.Table:
        """All rows, for small tables. The engine scans the `files` of large ones."""
        table = self._open()
        if table is None:
            return self.schema.empty_table()
        # deltalake's own filesystem is of Python. A thread of Arrow that releases it while the
        # interpreter ends aborts the process.
        storage = storage_of(self.uri, self.storage_options)
        files = SubTreeFileSystem(storage.root, storage.files) if storage.root else storage.files
        return table.to_pyarrow_dataset(filesystem=files).to_table(use_threads=False)

    def _open(self) -> DeltaTable | None:
        with storage_errors(self.uri):
            try:
                return DeltaTable(self.uri, storage_options=dict(self.storage_options))
            except TableNotFoundError:
                return None

    def writer_properties(self) -> WriterProperties:
        """The settings with which Delta's library writes files: for rows of ordinary width."""
        binary = [f.name for f in self.schema if pa.types.is_binary(f.type)]
        return WriterProperties(
            compression="ZSTD",
            compression_level=1,
            max_row_group_size=ROW_GROUP_ROWS,
            column_properties=dict.fromkeys(binary, _VERBATIM),
        )

    def write_files(
        self, table: DeltaTable, rows: pa.RecordBatchReader | pa.Table | Iterable[pa.RecordBatch]
    ) -> list[AddAction]:
        """Files with the rows, which a commit of the caller's names."""
        columns = with_columns(self.uri, pa.schema(table.schema().to_arrow()), self.schema)
        target = Target(self.uri, columns, self.partition_by, self.storage_options)
        return write_files(target, rows.to_batches() if isinstance(rows, pa.Table) else rows)

    def _commit(
        self,
        table: DeltaTable,
        files: Sequence[AddAction],
        mode: Literal["append", "overwrite"],
        schema: DeltaSchema,
        properties: CommitProperties,
    ) -> None:
        table.create_write_transaction(
            [*files],
            mode=mode,
            schema=schema,
            partition_by=list(self.partition_by),
            commit_properties=properties,
        )

    def _found_if_made(
        self,
        files: Sequence[AddAction],
        applied: Iterable[Applied],
        replaced: list[tuple[str, str, Any]] | None,
    ) -> AbstractContextManager[None]:
        taken = {each.app_id: each.version for each in applied}
        refused = AppliedElsewhereError(self.uri, applied)
        return found_if_made(self._open, files, taken, replaced, refused)

    def _created(self) -> DeltaTable:
        return self._open() or self._create()

    def _complete(self) -> DeltaTable:
        """The table, with the nullable columns that an earlier release did not write."""
        table = self._created()
        names = {field.name for field in table.schema().fields}
        if lacking := [f for f in self.schema if f.nullable and f.name not in names]:
            table.alter.add_columns(DeltaSchema.from_arrow(pa.schema(lacking)).fields)
        return table

    def _create(self, *applied: Applied) -> DeltaTable:
        return DeltaTable.create(
            self.uri,
            schema=self.schema,
            partition_by=list(self.partition_by),
            mode="ignore",
            configuration=dict(PROPERTIES),
            storage_options=dict(self.storage_options),
            commit_properties=_properties(applied),
        )


def _properties(applied: Iterable[Applied]) -> CommitProperties:
    return CommitProperties(app_transactions=[Transaction(a.app_id, a.version) for a in applied])


@contextmanager
def _single(uri: str, applied: Iterable[Applied]) -> Iterator[None]:
    """Turn the errors of Delta's library about a conflicting transaction into ours."""
    try:
        yield
    except CommitFailedError as error:
        if not any(told in str(error) for told in _CONCURRENT):
            raise
        raise AppliedElsewhereError(uri, applied) from error


_CONCURRENT = ("Concurrent transaction", "Metadata changed since last commit")
"""How Delta's library says that another machine wrote, or made the table, at the same time."""


def _is_taken(table: DeltaTable, applied: Applied) -> bool:
    if not (applied.is_once or applied.is_next):
        return False
    version = table.transaction_version(applied.app_id)
    if applied.is_next:
        return version != applied.before
    return version is not None and version >= applied.version
