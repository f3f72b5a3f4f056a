"""Rebuilds cleaned and quarantine of some days on Spark: the driver's part.

Belongs here: the plan, and the commit. Executors validate and write files (`tasks`); the driver
names these files in one commit a table, as a rebuild on one machine does. Files of a task that
failed or ran twice are in no commit, and maintenance deletes them. Executors need this package,
and must reach the lake under the same name: an object store, or a folder that all share.
"""

from __future__ import annotations

import pickle
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from resources.spark.session import spark_session
from social_assets.lake.row_groups import RowGroup, row_groups
from social_assets.pipeline.ledger_counts import enter_cleaned
from social_assets.pipeline.spark.job import SparkJob
from social_assets.pipeline.spark.tasks import (
    NO_BUCKET,
    Buckets,
    Written,
    validate_parts,
    write_buckets,
)
from social_assets.pipeline.stores import StreamStores
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


def rebuild_on_spark(
    stores: StreamStores, days: Sequence[date], without: Collection[str] = ()
) -> None:
    """Rebuild cleaned and quarantine of some days from raw, in one commit a table.

    Leaves out the records of the quarantined batches `without`. Raises SparkNotInstalledError.
    """
    spark = spark_session()
    with stores.engine.session() as session:
        job = SparkJob.of(stores, session, without)
    groups = row_groups(stores.raw, sorted(days))
    written = _run(spark, job, groups) if groups else []
    stores.quarantine.replace_by(days, [file for each in written for file in each.quarantine])
    stores.cleaned.replace_by(days, [file for each in written for file in each.cleaned])
    enter_cleaned(stores, sorted(_counts(written), key=lambda each: each.batch))


def _run(spark: SparkSession, job: SparkJob, groups: Sequence[RowGroup]) -> list[Written]:
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
    return [pickle.loads(row.payload) for row in rows]  # noqa: S301 - of our own tasks


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


def _counts(written: Sequence[Written]) -> list[Counts]:
    """What became of the records of each batch and day, over all parts."""
    of_parts: defaultdict[tuple[str, date], list[Counts]] = defaultdict(list)
    repeated = Counter[tuple[str, date]]()
    for each in written:
        repeated.update(each.repeated or {})
        for count in each.counts:
            of_parts[count.batch.batch_id, count.event_date].append(count)
    return [_sum(found, repeated[key]) for key, found in of_parts.items()]


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
    """Give the session settings of the rebuild for the block."""
    before = {name: spark.conf.get(name, None) for name in _SETTINGS}
    for name, value in _SETTINGS.items():
        spark.conf.set(name, value)
    try:
        yield
    finally:
        for name, old in before.items():
            spark.conf.unset(name) if old is None else spark.conf.set(name, old)
