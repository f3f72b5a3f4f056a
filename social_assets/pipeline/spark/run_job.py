"""Runs a job on Spark's executors: the driver's part, without the commits.

Belongs here: how raw is divided into parts and days into buckets, and what the tasks tell of their
files and counts. Files of a task that failed or ran twice are in no commit, and maintenance deletes
them. Executors need this package, and must reach the lake under the same name: an object store, or
a folder that all share.
"""

from __future__ import annotations

import pickle
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from resources.spark.session import spark_session
from social_assets.lake.row_groups import RowGroup
from social_assets.pipeline.quarantined_batches import UnvalidatedBatchError
from social_assets.pipeline.spark.job import SparkJob
from social_assets.pipeline.spark.tasks import (
    NO_BUCKET,
    Buckets,
    Written,
    validate_parts,
    write_buckets,
)
from social_assets.pipeline.validation.records import Counts

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PART_BYTES = 128 << 20
"""A task validates about so many bytes of raw, decoded."""
BUCKET_ROWS = 500_000
"""A task finds the duplicates of about so many records. A day of more is divided by key."""
_EXCHANGED = "part int, bucket int, payload binary"
_SETTINGS = {
    # A row is a block of records.
    "spark.sql.execution.arrow.maxRecordsPerBatch": "8",
    "spark.sql.session.timeZone": "UTC",
}


def run(job: SparkJob, groups: Sequence[RowGroup]) -> list[Written]:
    """Validate the records of these row groups of raw, and write files of them, which are in no
    commit yet.

    Raises SparkNotInstalledError, and UnvalidatedBatchError if the records are the cause.
    """
    spark = spark_session()
    stores = job.stores()
    for table in (stores.quarantine, stores.cleaned):
        # Here, so that no two tasks make the table.
        table.rows_written(())
    packed, parts, buckets = pickle.dumps(job), _parts(groups), _buckets(groups)
    shuffled = sum(buckets.each)
    with _settings(spark):
        rows = (
            spark.range(0, len(parts), 1, len(parts))
            .mapInArrow(partial(validate_parts, packed, parts, buckets), _EXCHANGED)
            .repartition(shuffled, "bucket")
            .sortWithinPartitions("bucket", "part")
            .mapInArrow(partial(write_buckets, packed), _EXCHANGED)
            .where(f"bucket = {NO_BUCKET}")
            .select("payload")
            .collect()
        )
    written: list[Written] = [pickle.loads(row.payload) for row in rows]  # noqa: S301 - of our tasks
    if errors := [each.error for each in written if each.error]:
        raise UnvalidatedBatchError(errors[0])
    return written


def _parts(groups: Sequence[RowGroup]) -> list[list[RowGroup]]:
    """Row groups that a task validates together, in the order of raw."""
    parts: list[list[RowGroup]] = []
    size = PART_BYTES
    for group in groups:
        if size + group.size_bytes > PART_BYTES:
            parts.append([])
            size = 0
        parts[-1].append(group)
        size += group.size_bytes
    return parts


def _buckets(groups: Sequence[RowGroup]) -> Buckets:
    rows = Counter[date]()
    for group in groups:
        rows[group.event_date] += group.rows
    days = sorted(rows)
    each = [-(-rows[day] // BUCKET_ROWS) for day in days]
    return Buckets(days, [sum(each[:place]) for place in range(len(each))], each)


def counts_of(written: Sequence[Written]) -> list[Counts]:
    """What became of the records of each batch and day, over all parts; in the order of landing."""
    of_parts: defaultdict[tuple[str, date], list[Counts]] = defaultdict(list)
    repeated = Counter[tuple[str, date]]()
    for each in written:
        repeated.update(each.repeated or {})
        for count in each.counts:
            of_parts[count.batch.batch_id, count.event_date].append(count)
    found = [_sum(counts, repeated[key]) for key, counts in of_parts.items()]
    return sorted(found, key=lambda each: each.batch)


def _sum(parts: Sequence[Counts], repeated: int) -> Counts:
    first = min(parts, key=lambda each: each.batch)
    duplicates = sum(each.duplicates for each in parts) + repeated
    rejected = sum(each.rejected for each in parts)
    landed = sum(each.landed for each in parts)
    accepted = landed - duplicates - rejected
    return replace(
        first, landed=landed, accepted=accepted, duplicates=duplicates, rejected=rejected
    )


@contextmanager
def _settings(spark: SparkSession) -> Iterator[None]:
    """Give the session the settings of a job for the block."""
    before = {name: spark.conf.get(name, None) for name in _SETTINGS}
    for name, value in _SETTINGS.items():
        spark.conf.set(name, value)
    try:
        yield
    finally:
        for name, old in before.items():
            spark.conf.unset(name) if old is None else spark.conf.set(name, old)
