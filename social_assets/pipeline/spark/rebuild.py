"""Rebuilds cleaned and quarantine of some days on Spark: the commits.

Belongs here: what becomes of the files that executors have written. The driver names them in one
commit a table, as a rebuild on one machine does.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from social_assets.lake.row_groups import row_groups
from social_assets.pipeline.ledger_counts import enter_cleaned
from social_assets.pipeline.spark.job import SparkJob
from social_assets.pipeline.spark.run_job import counts_of, run
from social_assets.pipeline.stores import StreamStores


def rebuild_on_spark(
    stores: StreamStores, days: Sequence[date], without: Collection[str] = ()
) -> None:
    """Rebuild cleaned and quarantine of some days from raw, in one commit a table.

    Leaves out the records of the quarantined batches `without`. Raises SparkNotInstalledError.
    """
    job = SparkJob.of(stores, without)
    groups = row_groups(stores.raw, sorted(days))
    written = run(job, groups) if groups else []
    stores.quarantine.replace_by(days, [file for each in written for file in each.quarantine])
    stores.cleaned.replace_by(days, [file for each in written for file in each.cleaned])
    enter_cleaned(stores, counts_of(written))
