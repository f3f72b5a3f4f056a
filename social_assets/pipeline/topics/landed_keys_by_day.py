"""The landed keys of a drain: tells which rows of a micro-batch are the first of their key.

Belongs here: where the keys are read from, and how many are held in memory. The set itself is
`transform.landed_keys`. A date's keys are read from the cleaned table when a batch first has rows
of that date. If more than HELD_KEYS are held, the least recently used dates are dropped. A dropped
date is read again when it is needed, together with the keys of micro-batches that are not yet
committed to that table. So memory is bounded, whatever dates a backlog has.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import date, datetime
from threading import Lock

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from social_assets.pipeline.stores import StreamStores
from social_assets.transform.duckdb_engine import Session
from social_assets.transform.landed_keys import (
    KEY_HASH,
    KEY_HASH_TYPE,
    Flags,
    LandedKeys,
    UInt64,
    halves,
    key_hash,
)

HELD_KEYS = 32_000_000
"""512 MB of keys; large sets are in memory-mapped files."""


@dataclass(frozen=True)
class _Admitted:
    """The new keys of one micro-batch, and the date of each."""

    days: NDArray[np.datetime64]
    high: UInt64
    low: UInt64


class StreamKeys:
    """The landed keys of one stream. The caller must hold the stream's lock while it uses this."""

    def __init__(self, stores: StreamStores, session: Session) -> None:
        self._stores = stores
        self._session = session
        self._dates: OrderedDict[date, LandedKeys] = OrderedDict()
        self._lock = Lock()
        self._uncommitted: dict[datetime, _Admitted] = {}

    def admit(self, accepted: pa.Table, ingested_at: datetime) -> Flags:
        """Whether each row of a micro-batch is the first of its key on its date, in this order.

        `accepted` has the columns `event_date` and KEY_HASH. Admitted keys count as landed. The
        caller must write their rows to cleaned and then call `committed`, or discard this object.
        """
        admitted = np.zeros(accepted.num_rows, bool)
        days = accepted["event_date"].to_numpy()
        high, low = halves(accepted[KEY_HASH])
        for day in pc.unique(accepted["event_date"]).to_pylist():
            of_day = days == np.datetime64(day)
            admitted[of_day] = self._keys(day).admit(high[of_day], low[of_day])
        with self._lock:
            self._uncommitted[ingested_at] = _Admitted(
                days[admitted], high[admitted], low[admitted]
            )
        return admitted

    def committed(self, ingested_at: datetime) -> None:
        """Record that the micro-batch is in cleaned. Another thread may admit batches meanwhile."""
        with self._lock:
            del self._uncommitted[ingested_at]

    def _keys(self, day: date) -> LandedKeys:
        if day not in self._dates:
            self._dates[day] = self._read(day)
        self._dates.move_to_end(day)
        while len(self._dates) > 1 and sum(map(len, self._dates.values())) > HELD_KEYS:
            self._dates.popitem(last=False)
        return self._dates[day]

    def _read(self, day: date) -> LandedKeys:
        keys = LandedKeys(self._stores.engine.spill)
        # Copied before the table is opened: a batch that is committed now may then be in both.
        with self._lock:
            uncommitted = list(self._uncommitted.values())
        cleaned = self._stores.cleaned
        contract = self._stores.contract
        rows = self._session.scan(
            cleaned.files([day]), cleaned.schema, ["event_date", *contract.key]
        )
        hashes = rows.select(**{KEY_HASH: key_hash(rows, contract)})
        schema = pa.schema([pa.field(KEY_HASH, KEY_HASH_TYPE)])
        for batch in self._session.stream(hashes, schema):
            keys.admit(*halves(pa.chunked_array([batch.column(KEY_HASH)])))
        for each in uncommitted:
            of_day = each.days == np.datetime64(day)
            keys.admit(each.high[of_day], each.low[of_day])
        return keys
