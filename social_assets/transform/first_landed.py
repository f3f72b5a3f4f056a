"""Finds the first record of each key, for any number of records, by positions and key hashes.

Belongs here: the deduplication of records that are validated part by part. A record takes 48 bytes
in a table that may spill; the record's own bytes are not in it. The order is that of `deduplicate`.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from social_assets.transform.duckdb_engine import Session
from social_assets.transform.landed_keys import KEY_HASH, halves

_LANDED = -1
_REPEATED = """
SELECT "row" FROM (
  SELECT "row", row_number() OVER (
    PARTITION BY event_date, high, low
    ORDER BY "row" >= 0, ingested_at, ordinal, "partition", "offset"
  ) AS place
  FROM seen SEMI JOIN (
    SELECT event_date, high, low FROM seen GROUP BY ALL HAVING count(*) > 1
  ) AS contested USING (event_date, high, low)
  LEFT JOIN ordinals USING (batch)
) WHERE place > 1 AND "row" >= 0
"""


class FirstLanded:
    """The keys so far, in the tables of one session, which nothing else may use."""

    def __init__(self, session: Session) -> None:
        self._connection = session.backend.con
        self._batches: dict[str, int] = {}
        self._connection.execute(
            'CREATE TEMP TABLE seen ("row" BIGINT, event_date DATE, high UBIGINT, low UBIGINT, '
            'ingested_at TIMESTAMP, batch INTEGER, "partition" INTEGER, "offset" BIGINT)'
        )

    def add_landed(self, keys: pa.Table) -> None:
        """Add keys that landed before all records: the columns `event_date` and KEY_HASH."""
        count = keys.num_rows
        self._insert(
            keys,
            np.full(count, _LANDED),
            {
                "ingested_at": pa.nulls(count, pa.timestamp("us")),
                "batch": pa.nulls(count, pa.int32()),
                "partition": pa.nulls(count, pa.int32()),
                "offset": pa.nulls(count, pa.int64()),
            },
        )

    def add(self, records: pa.Table, first_row: int) -> None:
        """Add accepted records, numbered from `first_row`: positions, event date, KEY_HASH."""
        batches = records["batch_id"].combine_chunks().dictionary_encode()
        codes = [
            self._batches.setdefault(each, len(self._batches))
            for each in batches.dictionary.to_pylist()
        ]
        batch = pa.array(np.array(codes, np.int32)[batches.indices.to_numpy()])
        self._insert(
            records,
            np.arange(first_row, first_row + records.num_rows),
            {
                "ingested_at": records["ingested_at"].cast(pa.timestamp("us")),
                "batch": batch,
                "partition": records["partition"],
                "offset": records["offset"],
            },
        )

    def repeated(self, rows: int) -> NDArray[np.bool_]:
        """For each of `rows` records, whether an earlier one has its key on its event date."""
        names = sorted(self._batches)
        ordinals = pa.table(
            {
                "batch": pa.array([self._batches[name] for name in names], pa.int32()),
                "ordinal": pa.array(range(len(names)), pa.int32()),
            }
        )
        self._connection.register("ordinals", ordinals)
        found: NDArray[np.bool_] = np.zeros(rows, bool)
        for batch in self._connection.sql(_REPEATED).to_arrow_reader(1 << 16):
            found[batch.column(0).to_numpy()] = True
        return found

    def _insert(self, keys: pa.Table, rows: NDArray[np.int64], order: dict[str, pa.Array]) -> None:
        if not keys.num_rows:
            return
        high, low = halves(keys[KEY_HASH])
        few = pa.table(
            {"row": rows, "event_date": keys["event_date"], "high": high, "low": low, **order}
        )
        self._connection.register("few", few)
        self._connection.execute("INSERT INTO seen SELECT * FROM few")
        self._connection.unregister("few")
