"""One Delta table of the lake: append once, replace days, count without reading.

Here belongs everything that speaks to Delta. A write is one commit; what must not happen twice
carries a transaction (application id and version), which Delta keeps in the same commit. Counts
come from the log, so that a conservation law costs no scan.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import chain
from typing import Any
from urllib.parse import unquote, urlsplit

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
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

ROW_GROUP_ROWS = 32_768
"""A writer holds one row group of each open partition in memory; this bounds it, together with:"""
ROW_GROUP_BYTES = 64 << 20
SMALLEST_ROW_GROUP = 64
_VERBATIM = ColumnProperties(dictionary_enabled=False, statistics_enabled="NONE")
"""How bytes as they came are written: they hardly repeat, and a smallest and largest of 100 MB in a
page's header keep other readers from opening it."""

GIVEN_UP_KEPT_HOURS = 2
"""How long a file that the table has given up stays: as long as a query may take that listed it.

Longer, and what streaming gives up in the time, thousands of files an hour, is in every checkpoint.
"""

PROPERTIES: Mapping[str, str] = {
    "delta.deletedFileRetentionDuration": f"interval {GIVEN_UP_KEPT_HOURS} hours",
    # Opening a table lists its log, where streaming writes some commits a second.
    "delta.logRetentionDuration": "interval 15 minutes",
}
"""The properties of every table."""


class LakeDiskError(OSError):
    """The disk takes no more of a table; names the table and the remedy. The table is unchanged."""


@dataclass(frozen=True)
class Applied:
    """A transaction: version `version` of the application `app_id` is in the table."""

    app_id: str
    version: int
    is_once: bool = False
    """Whether a write is refused if the table has this version, or a later one, already."""
    is_next: bool = False
    """Whether a write is refused unless the table's version is `before`, None if it has none."""
    before: int | None = None


class AppliedElsewhereError(RuntimeError):
    """Another writer has put the same transaction into the table; nothing was written."""

    def __init__(self, uri: str, applied: Iterable[Applied]) -> None:
        listed = ", ".join(each.app_id for each in applied)
        super().__init__(
            f"another writer took {listed} into the lake's table {uri} meanwhile; nothing was "
            "written twice. Let all writers of an installation use one home, and give the same "
            "command again: it goes on from what is there"
        )


@dataclass(frozen=True)
class LakeTable:
    """A Delta table at a folder or URL, partitioned by `partition_by`, made at the first write."""

    uri: str
    schema: pa.Schema
    partition_by: tuple[str, ...]
    storage_options: Mapping[str, str] = field(default_factory=dict)

    def applied_version(self, app_id: str) -> int | None:
        """The highest version of an application id that the table has taken, None if none."""
        table = self._open()
        return None if table is None else table.transaction_version(app_id)

    def applied_versions(self, app_ids: Iterable[str]) -> dict[str, int]:
        """The highest version of each application id of which the table has taken any."""
        table = self._open()
        found = {} if table is None else {each: table.transaction_version(each) for each in app_ids}
        return {each: version for each, version in found.items() if version is not None}

    def append(self, rows: pa.RecordBatchReader | pa.Table, *applied: Applied) -> None:
        """Add rows in one commit, together with the transactions that say so.

        The caller has looked whether it is there already, under the stream's lock. Writers that
        this lock does not reach are refused by what Delta finds between opening and commit, and
        by `is_once` and `is_next` before it: AppliedElsewhereError.
        """
        transactions = [Transaction(each.app_id, each.version) for each in applied]
        with _disk_errors(self.uri), _single(self.uri, applied), _Source(rows) as source:
            table = self._created()
            if there := [each for each in applied if _is_taken(table, each)]:
                raise AppliedElsewhereError(self.uri, there)
            write_deltalake(
                table,
                source.rows,
                mode="append",
                writer_properties=self.writer_properties(source.row_group_rows),
                commit_properties=CommitProperties(app_transactions=transactions),
            )

    def replace(self, days: Iterable[date], rows: pa.RecordBatchReader) -> None:
        """Put `rows` in the place of all rows of `days`, in one commit. No rows empty the days."""
        listed = ", ".join(f"'{day.isoformat()}'" for day in sorted(days))
        with _disk_errors(self.uri), _Source(rows) as source:
            write_deltalake(
                self._created(),
                source.rows,
                mode="overwrite",
                predicate=f"event_date IN ({listed})",
                writer_properties=self.writer_properties(source.row_group_rows),
            )

    def files(self, days: Iterable[date] | None = None) -> list[str]:
        """The data files of some days, or of all: paths of a local table, else URLs."""
        table = self._open()
        if table is None:
            return []
        if days is None:
            return _locations(table)
        listed = list(days)
        if not listed:
            return []
        return _locations(table, [("event_date", "in", listed)])

    def files_since(self, column: str, after: datetime) -> list[str]:
        """The data files that may hold rows with a later time in a column, by their statistics."""
        table = self._open()
        if table is None:
            return []
        return _locations(table, [(column, ">", after)])

    def rows_by_day(self, **partition: str) -> dict[date, int]:
        """Rows of each event date, from the log alone; `partition` narrows to e.g. a verdict."""
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
        """The latest time in a column, from the log alone; None without rows."""
        table = self._open()
        if table is None:
            return None
        actions = pa.table(table.get_add_actions(flatten=True))
        return pc.max(actions[f"max.{column}"]).as_py() if actions.num_rows else None

    def read(self) -> pa.Table:
        """All rows. For small tables; large ones are scanned by the engine from `files`."""
        table = self._open()
        if table is None:
            return self.schema.empty_table()
        # Threads of this reader outlive it and abort the process at its end (deltalake 1.6).
        return table.to_pyarrow_dataset().to_table(use_threads=False)

    def _open(self) -> DeltaTable | None:
        try:
            return DeltaTable(self.uri, storage_options=dict(self.storage_options))
        except TableNotFoundError:
            return None

    def writer_properties(self, row_group_rows: int = ROW_GROUP_ROWS) -> WriterProperties:
        """How the table's files are written, whoever writes them."""
        binary = [f.name for f in self.schema if pa.types.is_binary(f.type)]
        return WriterProperties(
            compression="ZSTD",
            compression_level=1,
            max_row_group_size=row_group_rows,
            # A wide text in a dictionary would hide from readers how many bytes they must hold.
            default_column_properties=ColumnProperties(
                dictionary_enabled=row_group_rows == ROW_GROUP_ROWS
            ),
            column_properties=dict.fromkeys(binary, _VERBATIM),
        )

    def _created(self) -> DeltaTable:
        return self._open() or DeltaTable.create(
            self.uri,
            schema=self.schema,
            partition_by=list(self.partition_by),
            mode="ignore",
            configuration=dict(PROPERTIES),
            storage_options=dict(self.storage_options),
        )


@contextmanager
def _disk_errors(uri: str) -> Iterator[None]:
    """Turn what Delta's library says of a full or read-only disk into a LakeDiskError."""
    try:
        yield
    except (DeltaError, OSError) as error:
        told = _DISK_ERROR.search(str(error))
        if told is None:
            raise
        raise LakeDiskError(
            f"the lake's table {uri} could not be written: {told[1].strip()}."
            " The table is as it was. Make room on that disk, or make it writable; the same"
            " command then goes on"
        ) from error


@contextmanager
def _single(uri: str, applied: Iterable[Applied]) -> Iterator[None]:
    """Turn what Delta's library says of a transaction that two writers commit into our error."""
    try:
        yield
    except CommitFailedError as error:
        if _CONCURRENT not in str(error):
            raise
        raise AppliedElsewhereError(uri, applied) from error


_CONCURRENT = "Concurrent transaction"


def _is_taken(table: DeltaTable, applied: Applied) -> bool:
    if not (applied.is_once or applied.is_next):
        return False
    version = table.transaction_version(applied.app_id)
    if applied.is_next:
        return version != applied.before
    return version is not None and version >= applied.version


# By its number: the words around it differ from call to call.
_DISK_ERROR = re.compile(r"([^:]*)\(os error (?:28|30|122)\)")


def _locations(table: DeltaTable, pruned: list[tuple[str, str, Any]] | None = None) -> list[str]:
    """Where the data files are. Delta's library percent-encodes paths; readers want them plain."""
    uris = table.file_uris(file_pruning_predicate=pruned)
    if urlsplit(table.table_uri).scheme not in ("", "file"):
        return uris
    return [unquote(uri.removeprefix("file://")) for uri in uris]


class _Source:
    """The rows of one write: how many of them make a row group, and the error that they end with.

    Delta reports what its source raises as an error of its own; the source's is raised instead.
    """

    def __init__(self, rows: pa.RecordBatchReader | pa.Table) -> None:
        reader = rows.to_reader() if isinstance(rows, pa.Table) else rows
        self._error: Exception | None = None
        first = next(reader, None)
        batches = [] if first is None else [first]
        self.row_group_rows = ROW_GROUP_ROWS
        if first is not None and first.num_rows:
            fitting = ROW_GROUP_BYTES * first.num_rows // max(1, first.nbytes)
            self.row_group_rows = min(ROW_GROUP_ROWS, max(SMALLEST_ROW_GROUP, fitting))
        self.rows = pa.RecordBatchReader.from_batches(
            reader.schema, chain(batches, self._noted(reader))
        )

    def __enter__(self) -> _Source:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self._error is not None and isinstance(error, DeltaError):
            raise self._error from error

    def _noted(self, reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        try:
            yield from reader
        except Exception as error:
            self._error = error
            raise
