"""The keys that have landed, for a drain: which of a micro-batch's rows come for the first time.

Here belongs where the keys are read from and how many are held; the set itself is
`engine.landed_keys`. A date's keys are read from the cleaned table when a batch first touches it,
and let go, least recently used first, when more than HELD_KEYS are held: a date that returns is
read again, together with the keys of micro-batches that are on their way into that table. So memory
is bounded whatever the days that a backlog touches.
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
"""512 MB of keys, of which long runs lie in mapped files."""


@dataclass(frozen=True)
class _Admitted:
    """The keys that one micro-batch brought, and the date of each."""

    days: NDArray[np.datetime64]
    high: UInt64
    low: UInt64


class Landed:
    """The landed keys of one stream. The stream's lock is held as long as this is used."""

    def __init__(self, stores: StreamStores, session: Session) -> None:
        self._stores = stores
        self._session = session
        self._dates: OrderedDict[date, LandedKeys] = OrderedDict()
        self._lock = Lock()
        self._unsettled: dict[datetime, _Admitted] = {}

    def admit(self, accepted: pa.Table, ingested_at: datetime) -> Flags:
        """Whether each row of a micro-batch is the first of its key on its date, in this order.

        `accepted` has the columns `event_date` and KEY_HASH. Admitted keys count as landed: the
        caller puts them into cleaned and then says so (`settled`), or gives this object up.
        """
        admitted = np.zeros(accepted.num_rows, bool)
        days = accepted["event_date"].to_numpy()
        high, low = halves(accepted[KEY_HASH])
        for day in pc.unique(accepted["event_date"]).to_pylist():
            of_day = days == np.datetime64(day)
            admitted[of_day] = self._keys(day).admit(high[of_day], low[of_day])
        with self._lock:
            self._unsettled[ingested_at] = _Admitted(days[admitted], high[admitted], low[admitted])
        return admitted

    def settled(self, ingested_at: datetime) -> None:
        """The micro-batch is in cleaned. May be called while others are admitted."""
        with self._lock:
            del self._unsettled[ingested_at]

    def _keys(self, day: date) -> LandedKeys:
        if day not in self._dates:
            self._dates[day] = self._read(day)
        self._dates.move_to_end(day)
        while len(self._dates) > 1 and sum(map(len, self._dates.values())) > HELD_KEYS:
            self._dates.popitem(last=False)
        return self._dates[day]

    def _read(self, day: date) -> LandedKeys:
        keys = LandedKeys(self._stores.engine.spill)
        # Before the table is opened: what is settled from here on may stand in both.
        with self._lock:
            unsettled = list(self._unsettled.values())
        cleaned = self._stores.cleaned
        contract = self._stores.contract
        rows = self._session.scan(
            cleaned.files([day]), cleaned.schema, ["event_date", *contract.key]
        )
        hashes = rows.select(**{KEY_HASH: key_hash(rows, contract)})
        schema = pa.schema([pa.field(KEY_HASH, KEY_HASH_TYPE)])
        for batch in self._session.stream(hashes, schema):
            keys.admit(*halves(pa.chunked_array([batch.column(KEY_HASH)])))
        for each in unsettled:
            of_day = each.days == np.datetime64(day)
            keys.admit(each.high[of_day], each.low[of_day])
        return keys
