"""Records which pending days of facts and rollups are finished, after their tables are built.

Belongs here: which tables a stream needs in each layer. `warehouse.pending_days` records the days.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import TYPE_CHECKING

from dagster import AssetKey

from social_assets.contracts.registry import contracts
from social_assets.defs.ingestion.jobs.changed_days import fed_by
from social_assets.warehouse.pending_days import BEHIND, PendingDay, record_finished

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client


def record_built(
    client: Client,
    pending: Sequence[PendingDay],
    built: Collection[AssetKey],
    days: Collection[date],
    run_id: str,
) -> None:
    """Record the days of each stream and layer that has no table outside `built`.

    So a layer without tables of the stream is finished at once. `pending` was read before the
    tables were built, with the locks of their streams held.
    """
    named = set(days)
    found = [day for day in pending if day.event_date in named]
    finished = []
    for stream in sorted({day.stream for day in found} & {each.name for each in contracts()}):
        unfinished = {key.path[0] for key in set(fed_by(stream)) - set(built)}
        layers = set(BEHIND) - unfinished
        finished += [day for day in found if day.stream == stream and day.layer in layers]
    record_finished(client, finished, run_id)
