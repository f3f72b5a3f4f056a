"""Measures the cost and the benefit of compacting the small files of a drain.

    python -m bench.loading.compaction [--files 600] [--records 250]

Lands micro-batches in raw like a drain, then compacts them like the end of a drain. CPU seconds are
those of all threads of this process.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa

from social_assets.lake.delta import Applied, LakeTable
from social_assets.lake.maintenance import compact_briefly, maintain
from social_assets.lake.schemas import RAW

DAY = date(2026, 3, 2)
RECORD_BYTES = 500


def main() -> None:
    """Land, compact, and print the figures of both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=600)
    parser.add_argument("--records", type=int, default=250)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="compaction-bench-") as folder:
        raw = LakeTable(f"{folder}/raw", RAW, ("event_date",))
        for number in range(options.files):
            raw.append(
                _micro_batch(number, options.records), Applied("offsets", number * options.records)
            )
        opened = _timed(raw.rows_by_day)
        replaced = 0

        def compact() -> None:
            nonlocal replaced
            replaced = compact_briefly([raw], {DAY})

        compacted = _timed(compact)
        after = _timed(raw.rows_by_day)
        night = _timed(lambda: maintain(raw))
    print(
        f"{replaced} files of {options.records} records: {compacted[0]:.2f} s, "
        f"{compacted[1]:.2f} CPU s; counting rows {opened[1] * 1000:.0f} CPU ms before, "
        f"{after[1] * 1000:.0f} after; maintenance after it {night[0]:.2f} s, {night[1]:.2f} CPU s"
    )


def _timed(work: object) -> tuple[float, float]:
    assert callable(work)
    clock, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - cpu


def _micro_batch(number: int, records: int) -> pa.Table:
    """Records whose bytes compress like JSON: a third is random."""
    random = np.random.default_rng(number)
    arrived = datetime.combine(DAY, datetime.min.time(), UTC) + timedelta(seconds=0.4 * number)
    padding = b'{"platform":"TikTok","metric_type":"impression","agent":"Mozilla/5.0"}' * 5
    values = [
        random.bytes(RECORD_BYTES // 3) + padding[: RECORD_BYTES * 2 // 3] for _ in range(records)
    ]
    constant = {
        "source": "kafka",
        "origin": "events",
        "partition": 0,
        "timestamp": arrived,
        "ingested_at": arrived,
        "batch_id": "kafka/events/1",
        "event_date": DAY,
    }
    columns: dict[str, object] = {
        "value": values,
        "key": [None] * records,
        "headers": [None] * records,
        "csv_header": [None] * records,
        "offset": list(range(number * records, (number + 1) * records)),
        **{name: [value] * records for name, value in constant.items()},
    }
    return pa.table({name: columns[name] for name in RAW.names}, schema=RAW)


if __name__ == "__main__":
    main()
