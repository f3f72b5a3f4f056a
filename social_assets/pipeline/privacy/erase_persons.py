"""Deletes the records of persons from a stream: from raw, cleaned, quarantine and the warehouse.

Belongs here: the order of steps in the lake and on `cleaned.<stream>`. The caller rebuilds facts,
dimensions and rollups of the days. Repeating a step changes nothing: whoever calls it again, after
a crash, finds the days that still have such records.

A record is a person's if a column of the contract's `persons` holds the id. So is every record in
which a distinct id stands as a whole word, and every rejected record in which any id does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import reduce

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from social_assets.contracts.contract import Contract
from social_assets.control.privacy.person import Person
from social_assets.lake.delta import LakeTable
from social_assets.lake.privacy.purge import purge
from social_assets.lake.row_groups import read_parts, row_groups
from social_assets.pipeline.ledger_counts import recount_days
from social_assets.pipeline.load import load_days
from social_assets.pipeline.privacy.forgotten_records import (
    ForgottenRecords,
    forgotten_records,
)
from social_assets.pipeline.privacy.ids_in_bytes import IdsInBytes
from social_assets.pipeline.privacy.person_ids import PersonIds
from social_assets.pipeline.privacy.records_by_person import (
    DeletedByPerson,
    is_in_columns,
    of_platform,
    records_by_person,
)
from social_assets.pipeline.quarantined_batches import quarantined
from social_assets.pipeline.step_log import StepLog
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import make_anew, recover
from social_assets.pipeline.validation.rows import input_columns
from social_assets.transform.duckdb_engine import Session
from social_assets.transform.validate import FORGOTTEN
from social_assets.transform.validate_block import BlockValidator
from social_assets.warehouse.pending_days import (
    BEHIND,
    CLEANED,
    pending_days,
    record_finished,
    record_pending,
)

PART_ROWS = 65_536
_BYTES = ("value", "key", "csv_header")
_HEADERS = "headers"
_READ = "read"
"""What the contract reads in a record, beside the columns of raw."""

Mask = Callable[[pa.Table], pa.BooleanArray]
"""Tells of the rows of a table which ones to delete."""


@dataclass(frozen=True)
class Erased:
    """What was deleted from a stream: records of raw, and the days that were rebuilt.

    `files` are the names of the files that brought these records. Of `by_person`, a record of two
    persons counts for both; those of persons who were forgotten before are of nobody.
    """

    stream: str
    records: int
    days: tuple[date, ...]
    files: frozenset[str] = frozenset()
    by_person: Mapping[Person, int] = field(default_factory=Counter, compare=False, repr=False)


@dataclass(frozen=True)
class Deleted:
    """Deleted rows: how many, of whom, and the files that they came from."""

    records: int = 0
    files: frozenset[str] = frozenset()
    by_person: Counter[Person] = field(default_factory=Counter)

    @classmethod
    def of(cls, rows: pa.Table) -> Deleted:
        """The rows of a table with the columns of provenance."""
        files = rows.filter(pc.equal(rows["source"], "file"))["origin"]
        return cls(rows.num_rows, frozenset(files.unique().to_pylist()))

    def __add__(self, other: Deleted) -> Deleted:
        """The sum of two."""
        return Deleted(
            self.records + other.records,
            self.files | other.files,
            self.by_person + other.by_person,
        )


def erase_persons(stores: StreamStores, persons: PersonIds) -> Erased:
    """Delete the records of persons, and those of everybody forgotten that arrived since.

    The persons must be recorded in the lake as forgotten: records that land meanwhile are rejected.
    Waits for the stream's lock. Raises ContractNotDeployedError, MissingSaltError.
    """
    with stores.lock():
        stores.in_force.check_complete()
        recover(stores)
        days = days_with_records(stores, persons)
        deleted = _erase(stores, persons, days) if days else Deleted()
        if days or persons.ids:
            # Also if a process was killed between deleting and purging.
            for table in (stores.raw, stores.cleaned, stores.quarantine):
                purge(table)
    return Erased(stores.name, deleted.records, tuple(days), deleted.files, deleted.by_person)


def _erase(stores: StreamStores, persons: PersonIds, days: Sequence[date]) -> Deleted:
    expired = stores.stores.lake.expired_days().days(f"raw/{stores.name}")
    with _recorded_as_pending(stores, days), StepLog(stores).step("forget", _span(days)):
        erased = _erase_days(stores, persons, [day for day in days if day not in expired])
        return erased + _erase_without_raw(stores, persons, [d for d in days if d in expired])


@contextmanager
def _recorded_as_pending(stores: StreamStores, days: Sequence[date]) -> Iterator[None]:
    """Record the days of all layers before anything is deleted, and `cleaned` as finished at the
    end. If the process is killed, `finish_days` loads and builds them.
    """
    layers = (CLEANED, *BEHIND)
    with stores.stores.clickhouse.client(stores.log_comment) as client:
        record_pending(client, stores.name, layers, days, stores.run_id)
        found = [day for day in pending_days(client) if day.stream == stores.name]
    yield
    done = [day for day in found if day.layer == CLEANED and day.event_date in days]
    with stores.stores.clickhouse.client(stores.log_comment) as client:
        record_finished(client, done, stores.run_id)


def _erase_days(stores: StreamStores, persons: PersonIds, days: Sequence[date]) -> Deleted:
    if not days:
        return Deleted()
    deleted = _delete_from_raw(stores, persons, days)
    recount_days(stores, days)
    make_anew(stores, days)
    return deleted


def _erase_without_raw(stores: StreamStores, persons: PersonIds, days: Sequence[date]) -> Deleted:
    if not days:
        return Deleted()
    deleted = _delete_without_raw(stores, persons, days)
    load_days(stores, days)
    return deleted


def days_with_records(stores: StreamStores, persons: PersonIds) -> list[date]:
    """The days of which a table has records of these persons, or rejected ones of anybody who is
    forgotten.
    """
    quarantine = stores.quarantine
    with stores.engine.session() as session:
        rows = session.scan(quarantine.files(), quarantine.schema, ["event_date", "reasons"])
        found = _days(session, rows.filter(rows["reasons"].contains(FORGOTTEN)))
        # Without ids, as each night, no bytes of any record are read.
        if persons.ids:
            found |= _days_by_column(stores, session, persons) | _days_by_bytes(stores, persons)
    return sorted(found)


def _days_by_column(stores: StreamStores, session: Session, persons: PersonIds) -> set[date]:
    found: set[date] = set()
    cleaned = stores.cleaned
    wanted = session.rows(pa.table({"id": pa.array(sorted(persons.ids), pa.string())}))
    for name in stores.contract.persons:
        rows = session.scan(cleaned.files(), cleaned.schema, ["event_date", name])
        found |= _days(session, rows.semi_join(wanted, rows[name] == wanted["id"]))
    return found


def _days_by_bytes(stores: StreamStores, persons: PersonIds) -> set[date]:
    found: set[date] = set()
    # Rejected records with a short id stand in quarantine as well.
    for table, ids in (
        (stores.raw, persons.distinct),
        (stores.quarantine, persons.anywhere),
    ):
        columns = [name for name in (*_BYTES, _HEADERS) if name in table.schema.names]
        for part in parts_of(stores, table, table.rows_by_day(), [*columns, "event_date"]):
            days = part["event_date"].filter(in_bytes(ids, part))
            found |= set(days.unique().to_pylist())
    return found


def _delete_from_raw(stores: StreamStores, persons: PersonIds, days: Sequence[date]) -> Deleted:
    with stores.engine.session() as session:
        records = _RawRecords(stores, session, persons, forgotten_records(stores, session))
        return _delete(stores, stores.raw, days, records.mask, records.by_person)


def _delete_without_raw(stores: StreamStores, persons: PersonIds, days: Sequence[date]) -> Deleted:
    """Delete from cleaned and quarantine on days whose raw records have expired."""
    with stores.engine.session() as session:
        forgotten = forgotten_records(stores, session)

        def of_cleaned(part: pa.Table) -> pa.BooleanArray:
            found = pa.array(np.zeros(part.num_rows, np.bool_))
            for group in persons.by_platform.values():
                found = pc.or_(found, _is_named_in_texts(group, part))
            return found if forgotten is None else pc.or_(found, forgotten.mask(part))

        def of_person(group: PersonIds, part: pa.Table) -> pa.BooleanArray:
            is_in_column = is_in_columns(stores.contract, group, part)
            return pc.or_(is_in_column, _is_named_in_texts(group, part))

        def by_person(part: pa.Table) -> Counter[Person]:
            return records_by_person(persons, part, of_person)

        deleted = _delete(stores, stores.cleaned, days, of_cleaned, by_person)
    _delete(stores, stores.quarantine, days, lambda part: _of_quarantine(persons, part))
    return deleted


def _is_named_in_texts(group: PersonIds, part: pa.Table) -> pa.BooleanArray:
    """Which rows of cleaned have a distinct id of the persons of one platform in a text."""
    texts = [each.name for each in part.schema if pa.types.is_string(each.type)]
    is_named = _any_of(group.distinct.mask(part[name]) for name in texts)
    return of_platform(group, is_named, part)


def _of_quarantine(persons: PersonIds, part: pa.Table) -> pa.BooleanArray:
    reasons = part["reasons"].combine_chunks()
    is_forgotten = _any_item(reasons.offsets, pc.equal(reasons.values, FORGOTTEN))
    return pc.or_(persons.anywhere.mask(part["value"]), is_forgotten)


def _delete(
    stores: StreamStores,
    table: LakeTable,
    days: Sequence[date],
    of: Mask,
    by_person: Callable[[pa.Table], Counter[Person]] = lambda _: Counter(),
) -> Deleted:
    """Delete the rows of a mask, in one commit. `by_person` tells whose some of them are."""
    deleted = Deleted()
    most_bytes = stores.engine.part_bytes
    counted = DeletedByPerson(by_person, most_rows=PART_ROWS, most_bytes=most_bytes)

    def kept() -> Iterator[pa.RecordBatch]:
        nonlocal deleted
        for part in parts_of(stores, table, days, table.schema.names):
            mask = of(part)
            rows = part.filter(mask)
            deleted += Deleted.of(rows)
            counted.add(rows)
            yield from part.filter(pc.invert(mask)).to_batches()

    table.replace(days, pa.RecordBatchReader.from_batches(table.schema, kept()))
    return replace(deleted, by_person=counted.total())


def records_of_persons(
    stores: StreamStores,
    session: Session,
    days: Sequence[date],
    persons: PersonIds,
    same: ForgottenRecords,
) -> Iterator[pa.Table]:
    """The raw records of some days that are of the persons; `same` compares columns."""
    records = _RawRecords(stores, session, persons, same)
    for part in parts_of(stores, stores.raw, days, stores.raw.schema.names):
        yield part.filter(records.mask(part))


def _of_persons(
    contract: Contract,
    persons: PersonIds,
    forgotten: ForgottenRecords | None,
    validator: BlockValidator,
    part: pa.Table,
) -> pa.BooleanArray:
    """Which raw records of a part are of the persons, or of others who are forgotten."""
    answer = validator.of(part.select(input_columns(contract)))
    found = pa.array(np.zeros(part.num_rows, np.bool_))
    for group in persons.by_platform.values():
        found = pc.or_(found, _is_named(group, part, answer))
    return found if forgotten is None else pc.or_(found, forgotten.mask(answer))


def _is_named(group: PersonIds, part: pa.Table, answer: pa.Table) -> pa.BooleanArray:
    """Which raw records have an id of the persons of one platform in their bytes."""
    is_rejected = pc.not_equal(answer["reasons"], "").combine_chunks()
    is_named = pc.and_(in_bytes(group.anywhere, part), is_rejected)
    return of_platform(group, pc.or_(in_bytes(group.distinct, part), is_named), answer)


class _RawRecords:
    """Tells which raw records are of persons; those of quarantined batches are not validated."""

    def __init__(
        self,
        stores: StreamStores,
        session: Session,
        persons: PersonIds,
        same: ForgottenRecords | None,
    ) -> None:
        self._contract = stores.contract
        self._persons = persons
        self._same = same
        self._validator = BlockValidator(session, stores.contract)
        self._quarantined = pa.array(sorted(quarantined(stores)), pa.string())

    def mask(self, part: pa.Table) -> pa.BooleanArray:
        """One value a record of the part.

        Nothing can read a record of a quarantined batch, so a distinct id alone tells whose it is.
        """
        is_unread = pc.is_in(part["batch_id"], self._quarantined).combine_chunks()
        if not is_unread.true_count:
            return self._of_validated(part)
        found = pc.and_(in_bytes(self._persons.distinct, part), is_unread)
        is_read = pc.invert(is_unread)
        return pc.replace_with_mask(found, is_read, self._of_validated(part.filter(is_read)))

    def _of_validated(self, part: pa.Table) -> pa.BooleanArray:
        return _of_persons(self._contract, self._persons, self._same, self._validator, part)

    def by_person(self, rows: pa.Table) -> Counter[Person]:
        """How many of the rows, which the mask has chosen, are of each of the persons."""
        is_unread = pc.is_in(rows["batch_id"], self._quarantined).combine_chunks()
        found = records_by_person(
            self._persons,
            rows.filter(is_unread),
            lambda group, part: in_bytes(group.distinct, part),
        )
        read = rows.filter(pc.invert(is_unread))
        if not read.num_rows:
            return found
        answer = self._validator.of(read.select(input_columns(self._contract)))
        read = read.append_column(_READ, answer.combine_chunks().to_struct_array())
        return found + records_by_person(self._persons, read, self._is_of)

    def _is_of(self, group: PersonIds, part: pa.Table) -> pa.BooleanArray:
        answer = pa.Table.from_struct_array(part[_READ])
        is_in_column = is_in_columns(self._contract, group, answer)
        return pc.or_(is_in_column, _is_named(group, part, answer))


def in_bytes(ids: IdsInBytes, part: pa.Table) -> pa.BooleanArray:
    """Which records have one of the ids in their bytes, their key or a header."""
    names = [name for name in _BYTES if name in part.column_names]
    found = _any_of(ids.mask(part[name]) for name in names)
    if _HEADERS not in part.column_names:
        return found
    headers = part[_HEADERS].combine_chunks()
    return pc.or_(found, _any_item(headers.offsets, ids.mask(headers.items)))


def _any_item(offsets: pa.Array, of_items: pa.BooleanArray) -> pa.BooleanArray:
    """Whether a list, of which `offsets` tell the items, has an item of the mask."""
    true = np.concatenate(([0], np.cumsum(of_items.to_numpy(zero_copy_only=False))))
    ends = true[offsets.to_numpy()]
    return pa.array(ends[1:] > ends[:-1])


def parts_of(
    stores: StreamStores, table: LakeTable, days: Collection[date], columns: Sequence[str]
) -> Iterator[pa.Table]:
    """The rows of some days of a table, in parts of bounded size."""
    return read_parts(
        table,
        row_groups(table, days),
        columns,
        part_bytes=stores.engine.part_bytes,
        part_rows=PART_ROWS,
    )


def _span(days: Sequence[date]) -> str:
    return f"{days[0]} to {days[-1]}"


def _any_of(masks: Iterable[pa.BooleanArray]) -> pa.BooleanArray:
    return reduce(pc.or_, masks)


def _days(session: Session, rows: ir.Table) -> set[date]:
    found = session.table(rows.select("event_date").distinct())
    return set(found["event_date"].cast(pa.date32()).to_pylist())
