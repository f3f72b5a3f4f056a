"""The keys that have landed, for a drain: which of a micro-batch's rows come for the first time.

Here belongs where the keys are read from and how many are held; the set itself is
`engine.landed_keys`. A date's keys are read from the cleaned table when a batch first touches it,
and let go, least recently used first, when more than HELD_KEYS are held: a date that returns is
read again. So memory is bounded whatever the days that a backlog touches.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from social_assets.engine.duckdb_engine import Session
from social_assets.engine.landed_keys import (
    KEY_HASH,
    KEY_HASH_TYPE,
    Flags,
    LandedKeys,
    halves,
    key_hash,
)
from social_assets.hops.stores import StreamStores

HELD_KEYS = 32_000_000
"""512 MB of keys, of which long runs lie in mapped files."""


class Landed:
    """The landed keys of one stream. The stream's lock is held as long as this is used."""

    def __init__(self, stores: StreamStores, session: Session) -> None:
        self._stores = stores
        self._session = session
        self._dates: OrderedDict[date, LandedKeys] = OrderedDict()

    def admit(self, accepted: pa.Table) -> Flags:
        """Whether each row is the first of its key on its date, in the order given.

        `accepted` has the columns `event_date` and KEY_HASH. Admitted keys count as landed: the
        caller commits them before it asks again, or gives this object up.
        """
        admitted = np.zeros(accepted.num_rows, bool)
        days = accepted["event_date"].to_numpy()
        high, low = halves(accepted[KEY_HASH])
        for day in pc.unique(accepted["event_date"]).to_pylist():
            of_day = days == np.datetime64(day)
            admitted[of_day] = self._keys(day).admit(high[of_day], low[of_day])
        return admitted

    def _keys(self, day: date) -> LandedKeys:
        if day not in self._dates:
            self._dates[day] = self._read(day)
        self._dates.move_to_end(day)
        while len(self._dates) > 1 and sum(map(len, self._dates.values())) > HELD_KEYS:
            self._dates.popitem(last=False)
        return self._dates[day]

    def _read(self, day: date) -> LandedKeys:
        keys = LandedKeys(self._stores.engine.spill)
        cleaned = self._stores.cleaned
        contract = self._stores.contract
        rows = self._session.scan(
            cleaned.files([day]), cleaned.schema, ["event_date", *contract.key]
        )
        hashes = rows.select(**{KEY_HASH: key_hash(rows, contract)})
        schema = pa.schema([pa.field(KEY_HASH, KEY_HASH_TYPE)])
        for batch in self._session.stream(hashes, schema):
            keys.admit(*halves(pa.chunked_array([batch.column(KEY_HASH)])))
        return keys
