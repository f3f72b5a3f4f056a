"""Cleans a landed batch on Spark: the commits.

Belongs here: what becomes of the files that executors have written. The driver appends them with
the batch's transaction, as `clean.clean_batch` appends rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from social_assets.lake.delta import Applied
from social_assets.lake.row_groups import row_groups
from social_assets.pipeline.clean import is_batch_cleaned
from social_assets.pipeline.ledger_counts import account_cleaned, enter_cleaned
from social_assets.pipeline.spark.job import SparkJob
from social_assets.pipeline.spark.run_job import counts_of, run
from social_assets.pipeline.stores import StreamStores


def clean_batch_on_spark(stores: StreamStores, batch_id: str, days: Sequence[date]) -> None:
    """Clean a batch that has landed; `days` are all of its event dates.

    Leaves out the records that a table has already. Raises SparkNotInstalledError.
    """
    if is_batch_cleaned(stores, batch_id, days):
        account_cleaned(stores, days, batch_id)
        return
    is_begun = any(row_groups(t, days, batch_id) for t in (stores.quarantine, stores.cleaned))
    job = SparkJob.of(stores, batch_id=batch_id, is_begun=is_begun)
    written = run(job, row_groups(stores.raw, sorted(days), batch_id))
    quarantine = [file for each in written for file in each.quarantine]
    cleaned = [file for each in written for file in each.cleaned]
    if quarantine:
        stores.quarantine.append_by(quarantine, Applied(batch_id, len(days)))
    stores.cleaned.append_by(cleaned, Applied(batch_id, len(days), is_once=True))
    if is_begun:
        account_cleaned(stores, days, batch_id)
    else:
        enter_cleaned(stores, counts_of(written))
