"""Cleans a batch that has landed, by the engine of its size, or quarantines it.

Belongs here: the choice of the engine. Cleaning itself belongs to `clean` and `spark.clean_batch`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from resources.settings.engine import TransformEngine, engine, engine_of_load
from social_assets.lake.row_groups import row_groups
from social_assets.pipeline.clean import clean_batch
from social_assets.pipeline.quarantined_batches import is_of_the_batch, quarantine_batch
from social_assets.pipeline.step_log import StepLog
from social_assets.pipeline.stores import StreamStores


def is_cleaned_or_quarantined(
    stores: StreamStores, log: StepLog, batch_id: str, days: Collection[date]
) -> bool:
    """Clean a batch; false if it cannot be cleaned and was quarantined."""
    try:
        with log.step("clean", batch_id):
            _clean(stores, batch_id, sorted(days))
    except Exception as error:
        if not is_of_the_batch(error):
            raise
        quarantine_batch(stores, batch_id, error, "clean")
        return False
    return True


def _clean(stores: StreamStores, batch_id: str, days: Sequence[date]) -> None:
    # Which engine an interrupted load had does not matter: the tables tell what is done.
    if (
        engine() is TransformEngine.DUCKDB
        or engine_of_load(_size(stores, batch_id, days)) is TransformEngine.DUCKDB
    ):
        clean_batch(stores, batch_id, days)
        return
    # Imported here: only a large batch on Spark needs it.
    from social_assets.pipeline.spark.clean_batch import clean_batch_on_spark

    clean_batch_on_spark(stores, batch_id, days)


def _size(stores: StreamStores, batch_id: str, days: Sequence[date]) -> int:
    """About how many bytes the batch has, decoded."""
    return sum(group.size_bytes for group in row_groups(stores.raw, days, batch_id))
