"""Finds the event date under which each record of a block lands, before it is cleaned.

Belongs here: reading one field, the event time, from the bytes of a block of records. All other
fields are read when the record is cleaned.
"""

from __future__ import annotations

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa

from social_assets.contracts.contract import Contract
from social_assets.transform.decode import (
    Shape,
    opened,
    shape_of,
    with_fields,
)
from social_assets.transform.duckdb_engine import Session, is_of_disk
from social_assets.transform.standardize import is_plausible, timestamp_of

INPUT = {
    "record_bytes": "binary",
    "csv_header": "string",
    "offset": "int64",
    "timestamp": "timestamp",
    "ingested_at": "timestamp",
}
"""The columns of a block; `offset` ascends, and the result has the same order."""


class EventDates:
    """The event dates of one stream's records, block after block.

    Compiles the query again only if a block has a new spelling of the event time.
    """

    def __init__(self, session: Session, contract: Contract) -> None:
        if contract.event_time is None:
            raise ValueError(f"{contract.name} names no event time: it lands by timestamp")
        self._session = session
        self._contract = contract
        self._event_time = contract.event_time
        self._keys: set[str] = set()
        self._headers: set[str] = set()
        self._query = ""

    def of(self, block: pa.Table) -> pa.ChunkedArray:
        """The date of each record's event time, or of its timestamp if the event time is unreadable
        or in the future. `block` has the columns of INPUT, with times in UTC without zone.

        A block that needs too much memory is read in halves.
        """
        try:
            return self._of_all(block)
        except duckdb.OutOfMemoryException as error:
            if is_of_disk(error) or block.num_rows == 1:
                raise
        half = block.num_rows // 2
        first, rest = self.of(block.slice(0, half)), self.of(block.slice(half))
        return pa.chunked_array([*first.chunks, *rest.chunks], first.type)

    def _of_all(self, block: pa.Table) -> pa.ChunkedArray:
        headers = set(block["csv_header"].unique().drop_null().to_pylist())
        if not self._query or not headers <= self._headers:
            self._headers |= headers
            self._compile()
        answer = self._session.query(self._query, block)
        spare = answer["spare_keys"].combine_chunks().flatten().unique().to_pylist()
        found = self._shape(self._keys.union(spare))
        if found != self._shape(self._keys):
            self._keys |= set(spare)
            self._compile()
            answer = self._session.query(self._query, block)
        return answer["event_date"]

    def _shape(self, keys: set[str]) -> Shape:
        return shape_of(self._contract, keys, self._headers)

    def _compile(self) -> None:
        records = ibis.table(INPUT, name=Session.BLOCK)
        fields = with_fields(
            opened(records, self._contract.max_record_bytes),
            self._shape(self._keys),
            [self._event_time],
        )
        happened = timestamp_of(fields[f"in_{self._event_time}"])
        read = fields.mutate(**{self._event_time: ibis.cases((is_plausible(happened), happened))})
        dates = read.select("offset", "spare_keys", event_date=landing_date(read, self._contract))
        self._query = self._session.compiled(dates.order_by("offset"))


def landing_date(read: ir.Table, contract: Contract) -> ir.DateValue:
    """The day of the event time if it is plausible, or else of the arrival's timestamp.

    `read` has `timestamp`, `ingested_at` and, if the contract names an event time, that column:
    null where it is unreadable or implausible.
    """
    if contract.event_time is None:
        return read.timestamp.date()
    happened = read[contract.event_time]
    tolerance = ibis.interval(seconds=int(contract.future_after.total_seconds()))
    meant = happened <= read.ingested_at + tolerance
    return ibis.cases((meant, happened)).coalesce(read.timestamp).date()
