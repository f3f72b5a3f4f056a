"""The third hop: cleaned rows from the lake into `cleaned.<stream>` of the warehouse.

Here belongs what is read for it; how it enters ClickHouse is the loader's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pyarrow as pa

from social_assets.lake.schemas import cleaned_schema
from social_assets.pipeline.stores import StreamStores
from social_assets.warehouse.loader import rows_for_warehouse


def load_batch(stores: StreamStores, batch_id: str, days: Sequence[date]) -> int:
    """Insert the accepted rows of a batch; returns how many. Again changes nothing."""
    with stores.engine.session() as session:
        schema = cleaned_schema(stores.contract)
        columns = rows_for_warehouse(stores.contract)
        rows = session.scan(stores.cleaned.files(days), schema, columns)
        # The same order every time: insert tokens count chunks.
        of_batch = rows.filter(rows.batch_id == session.constant(batch_id))
        ordered = of_batch.order_by("event_date", "partition", "offset")
        return stores.loader.insert(batch_id, session.stream(ordered, _only(schema, columns)))


def load_days(stores: StreamStores, days: Sequence[date]) -> None:
    """Put the lake's rows of some days in the place of the warehouse's."""
    with stores.engine.session() as session:
        schema = cleaned_schema(stores.contract)
        columns = rows_for_warehouse(stores.contract)
        rows = session.scan(stores.cleaned.files(days), schema, columns)
        stores.loader.replace_days(days, session.stream(rows, _only(schema, columns)))


def _only(schema: pa.Schema, columns: Sequence[str]) -> pa.Schema:
    return pa.schema([schema.field(name) for name in columns])
