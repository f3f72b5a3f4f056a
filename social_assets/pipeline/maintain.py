"""The nightly maintenance of a stream: removes expired days, merges files, deletes unused ones.

Belongs here: the order, and which days have expired. How a table is kept small belongs to
`lake.maintenance`, how a warehouse's table drops days to `warehouse.expiry`. Each layer is
maintained under the stream's lock alone, so that a waiting drain need not wait for all layers.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import date, timedelta

from social_assets.lake.delta import LakeTable
from social_assets.lake.maintenance import Freed, maintain
from social_assets.lake.schemas import Layer
from social_assets.pipeline.stores import Stores, StreamStores
from social_assets.transform.text.expiry import expire_texts
from social_assets.warehouse.expiry import days_before, drop_days


def maintain_stream(stores: StreamStores, today: date) -> dict[str, Freed]:
    """Maintain the stream's tables in the lake, `cleaned.<stream>` and what is made of its texts;
    returns what each freed, by name. Waits for the stream's lock.
    """
    retention = stores.declared.retention
    kept: dict[Layer, int | None] = {
        "raw": retention.raw_days,
        "cleaned": retention.cleaned_days,
        "quarantine": retention.quarantine_days,
    }
    freed: dict[str, Freed] = {}
    for layer, days in kept.items():
        limit = first_kept(today, days)
        with stores.lock():
            table = stores.stores.lake.table(layer, stores.contract)
            present = table.rows_by_day()
            expired = {day: rows for day, rows in present.items() if limit and day < limit}
            stores.stores.lake.expired_days().record(f"{layer}/{stores.name}", expired)
            freed[layer] = maintain(table, expired)
    beside: Mapping[str, LakeTable] = {
        "batches": stores.ledger.table,
        "gaps": stores.gaps.table,
        "failed_files": stores.failed_files.table,
    }
    with stores.lock():
        freed |= {name: maintain(table) for name, table in beside.items()}
        limit = first_kept(today, retention.cleaned_days)
        if limit:
            asset = f"cleaned/{stores.name}"
            freed["warehouse"] = expire(
                stores.stores, asset, stores.loader.table, limit, stores.log_comment
            )
    if limit:
        # Without the stream's lock: a run that fills documents may take minutes, and this waits for
        # it. Loads and drains need not.
        freed["texts"] = _expire_texts(stores, limit)
    return freed


def expire(
    stores: Stores, asset: str, table: str, limit: date, log_comment: str | None = None
) -> Freed:
    """Drop the days of a warehouse's table before a date, after recording them."""
    started = time.monotonic()
    with stores.clickhouse.client(log_comment) as client:
        days = days_before(client, table, limit)
        stores.lake.expired_days().record(asset, {day: each.rows for day, each in days.items()})
        drop_days(client, table, days)
    return Freed(
        rows_removed=sum(each.rows for each in days.values()),
        bytes_freed=sum(each.size_bytes for each in days.values()),
        seconds=time.monotonic() - started,
    )


def _expire_texts(stores: StreamStores, limit: date) -> Freed:
    """Remove what was made of the texts of the stream's expired days."""
    started = time.monotonic()
    with stores.stores.clickhouse.client(stores.log_comment) as client:
        rows = expire_texts(client, stores.stores.lake.locks, stores.name, limit)
    return Freed(rows_removed=rows, seconds=time.monotonic() - started)


def first_kept(today: date, days: int | None) -> date | None:
    """The first day that is kept; None if all days are."""
    return None if days is None else today - timedelta(days=days)
