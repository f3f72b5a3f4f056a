"""Finds the first record of each key, for any number of records, by positions and key hashes.

Belongs here: the deduplication of records that are validated part by part. A record takes 48 bytes
in a table that may spill; the record's own bytes are not in it. The order is that of arrival:
`ingested_at`, batch, partition, offset, element. Micro-batches, which come in that order and must
be quick, use `landed_keys`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from social_assets.contracts.contract import Contract
from social_assets.transform.duckdb_engine import Session
from social_assets.transform.landed_keys import KEY_HASH, halves, key_halves

_LANDED = -1
_REPEATED = """
SELECT "row", event_date, batch FROM (
  SELECT "row", event_date, batch, row_number() OVER (
    PARTITION BY event_date, high, low
    ORDER BY "row" >= 0, ingested_at, ordinal, "partition", "offset", element_number
  ) AS place
  FROM seen SEMI JOIN (
    SELECT event_date, high, low FROM seen GROUP BY ALL HAVING count(*) > 1
  ) AS contested USING (event_date, high, low)
  LEFT JOIN ordinals USING (batch)
) WHERE place > 1 AND "row" >= 0
"""


@dataclass(frozen=True)
class Repeated:
    """Whether each record is a duplicate, in their order; how many are, by batch and day."""

    flags: NDArray[np.bool_]
    counts: Counter[tuple[str, date]]


class FirstLanded:
    """The keys so far, in the tables of one session, which nothing else may use."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._connection = session.connection
        self._batches: dict[str, int] = {}
        self._rows = 0
        self._connection.execute(
            'CREATE OR REPLACE TEMP TABLE seen ("row" BIGINT, event_date DATE, high UBIGINT, '
            'low UBIGINT, ingested_at TIMESTAMP, batch INTEGER, "partition" INTEGER, '
            '"offset" BIGINT, element_number INTEGER)'
        )

    def add_landed(self, rows: ir.Table, contract: Contract) -> None:
        """Add the keys of rows that landed before all records, after all records were added.

        `rows` has `event_date` and the columns of the key. Only keys of the records are stored.
        """
        high, low = key_halves(rows, contract)
        landed = self._session.compiled(rows.select("event_date", high=high, low=low))
        self._session.connection.execute(
            f'INSERT INTO seen BY NAME SELECT {_LANDED} AS "row", event_date, high, low '
            f"FROM ({landed}) SEMI JOIN seen USING (event_date, high, low)"
        )

    def add(self, records: pa.Table) -> None:
        """Add accepted records: the columns of their positions, event date, KEY_HASH."""
        if not records.num_rows:
            return
        batches = records["batch_id"].combine_chunks().dictionary_encode()
        codes = [
            self._batches.setdefault(each, len(self._batches))
            for each in batches.dictionary.to_pylist()
        ]
        high, low = halves(records[KEY_HASH])
        keys = {
            "row": pa.array(np.arange(self._rows, self._rows + records.num_rows)),
            "event_date": records["event_date"],
            "high": high,
            "low": low,
            "ingested_at": records["ingested_at"].cast(pa.timestamp("us")),
            "batch": np.array(codes, np.int32)[batches.indices.to_numpy()],
            "partition": records["partition"],
            "offset": records["offset"],
            "element_number": records["element_number"]
            if "element_number" in records.column_names
            else pa.nulls(records.num_rows, pa.int32()),
        }
        self._connection.register("few", pa.table(keys))
        self._connection.execute("INSERT INTO seen SELECT * FROM few")
        self._connection.unregister("few")
        self._rows += records.num_rows

    def repeated(self) -> Repeated:
        """Which of the records have a key on a date on which an earlier record has it."""
        names = sorted(self._batches)
        ordinals = pa.table(
            {
                "batch": pa.array([self._batches[name] for name in names], pa.int32()),
                "ordinal": pa.array(range(len(names)), pa.int32()),
            }
        )
        self._connection.register("ordinals", ordinals)
        flags: NDArray[np.bool_] = np.zeros(self._rows, bool)
        ids = {code: batch_id for batch_id, code in self._batches.items()}
        counts = Counter[tuple[str, date]]()
        for batch in self._connection.sql(_REPEATED).to_arrow_reader(1 << 16):
            flags[batch.column("row").to_numpy()] = True
            groups = pa.table(batch).group_by(["batch", "event_date"])
            for row in groups.aggregate([([], "count_all")]).to_pylist():
                counts[ids[row["batch"]], row["event_date"]] += row["count_all"]
        return Repeated(flags, counts)
