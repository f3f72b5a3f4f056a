"""Bringing the online store to what the warehouse has now.

Belongs here: one pass over the views. A pass reads the rows of those who may have changed since
the watermark, and writes them with the next watermark. Killed in between, the next pass does the
same again; what is written twice is equal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from social_assets.features.feature import Held
from social_assets.features.feature_view import FeatureView
from social_assets.features.history import EXPIRES_AT, KNOWN_AT
from social_assets.features.online.changed import ChangedEntities, changes
from social_assets.features.online.rows import OnlineRow, OnlineStore, Watermark
from social_assets.features.registry import views
from social_assets.lake.lock import stream_lock

if TYPE_CHECKING:
    import pyarrow as pa
    from clickhouse_connect.driver.client import Client

_MEMBERS = "online_members"
_EXPIRED_KEPT = timedelta(days=1)


@dataclass(frozen=True)
class Materialized:
    """What a pass has done of one view."""

    view: str
    read: int
    """Rows that may have changed."""
    written: int
    """Rows that were different, new or gone."""
    is_everything: bool


def online_lock(locks: Path) -> AbstractContextManager[None]:
    """One process at a time writes the online store of a home. Waits for the lock."""
    return stream_lock(locks, "online_features")


def materialize(
    client: Client, store: OnlineStore, locks: Path, now: datetime | None = None
) -> list[Materialized]:
    """Take what has changed since the last pass, of all views. Raises OnlineStoreError."""
    with online_lock(locks):
        return [_materialized(client, store, view, now) for view in views()]


def definition_of(view: FeatureView) -> str:
    """A hash of what the values of a view mean."""
    return hashlib.sha256(view.rows("1").encode()).hexdigest()[:16]


def offline_rows(
    client: Client, view: FeatureView, as_of: datetime, whose: Sequence[str] | None = None
) -> list[OnlineRow]:
    """The rows of a view as of a time, as the online store has them.

    `whose` are SELECTs of platform key and entity key; None: everybody who has a value.
    """
    return _rows(client.query_arrow(_newest(view, as_of, whose), use_strings=True), view)


def rows_of_members(
    client: Client,
    view: FeatureView,
    as_of: datetime,
    named: Sequence[tuple[str, str]],
    selects: Sequence[str] = (),
) -> list[OnlineRow]:
    """The same of platforms and ids, and of who is in the SELECTs."""
    keys = f"SELECT toFixedString(MD5(platform), 16), toFixedString(MD5(id), 16) FROM {_MEMBERS}"
    text = _newest(view, as_of, [*selects, keys])
    external = _members(named)
    return _rows(client.query_arrow(text, external_data=external, use_strings=True), view)


def count_offline(client: Client, view: FeatureView, as_of: datetime) -> int:
    """How many rows of a view the warehouse has as of a time."""
    query = f"SELECT count() FROM ({_newest(view, as_of, None)})"
    return int(client.query(query).result_rows[0][0])


def _materialized(
    client: Client, store: OnlineStore, view: FeatureView, now: datetime | None
) -> Materialized:
    as_of = now or datetime.now(UTC)
    definition = definition_of(view)
    found = changes(client, view, store.watermark(view), as_of, definition)
    changed, gone = _read(client, store, view, found, as_of)
    watermark = Watermark(as_of, definition, found.tables)
    written = store.write(view, changed, gone, watermark)
    written += store.delete_expired(view, as_of - _EXPIRED_KEPT)
    return Materialized(view.name, len(changed), written, found.is_everything)


def _read(
    client: Client, store: OnlineStore, view: FeatureView, found: ChangedEntities, as_of: datetime
) -> tuple[list[OnlineRow], list[tuple[str, str]]]:
    """The rows to write, and platform and id of those to delete."""
    if found.is_nothing:
        return [], []
    if found.is_everything:
        rows = offline_rows(client, view, as_of)
        known = store.members(view, None)
    elif found.replaced_since is None:
        return offline_rows(client, view, as_of, found.selects), []
    else:
        known = store.members(view, found.replaced_since)
        rows = rows_of_members(client, view, as_of, known, found.selects)
    present = {(each.platform, each.id) for each in rows}
    return rows, [each for each in known if tuple(each) not in present]


def _newest(view: FeatureView, as_of: datetime, whose: Sequence[str] | None) -> str:
    entity, key = view.entity, view.entity.key
    only = f"event_date >= '{view.first_day(as_of.date())}'"
    if whose is not None:
        listed = "\n  UNION ALL ".join(whose)
        only += f" AND (platform_key, {key}) IN (\n  {listed})"
    at = f"toDateTime64('{as_of.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}', 6, 'UTC')"
    return (
        f"SELECT p.platform AS platform, e.{entity.id_column} AS id,\n"
        f"  h.* EXCEPT (platform_key, {key})\n"
        f"FROM (SELECT * FROM ({view.rows(only)}) WHERE {KNOWN_AT} <= {at}\n"
        f"  ORDER BY {KNOWN_AT} DESC LIMIT 1 BY platform_key, {key}) AS h\n"
        f"INNER JOIN star.dim_platform AS p ON p.platform_key = h.platform_key\n"
        f"INNER JOIN {entity.dimension} AS e ON e.{key} = h.{key}\n"
        f"WHERE h.{EXPIRES_AT} > {at}"
    )


def _rows(table: pa.Table, view: FeatureView) -> list[OnlineRow]:
    columns = [table[name].to_pylist() for name in ("platform", "id", KNOWN_AT, EXPIRES_AT)]
    values = [[_held(value) for value in table[name].to_pylist()] for name in view.names]
    held = zip(*values, strict=True)
    return [
        OnlineRow(platform, id_, known, expires, _named(view, given))
        for platform, id_, known, expires, given in zip(*columns, held, strict=True)
    ]


def _named(view: FeatureView, given: tuple[Any, ...]) -> Held:
    return dict(zip(view.names, given, strict=True))


def _held(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _members(known: Sequence[tuple[str, str]]) -> Any:
    """Platforms and ids as a table of a query."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from clickhouse_connect.driver.external import ExternalData

    sink = pa.BufferOutputStream()
    platforms, ids = ([each[n] for each in known] for n in (0, 1))
    table = pa.table(
        {"platform": pa.array(platforms, pa.string()), "id": pa.array(ids, pa.string())}
    )
    pq.write_table(table, sink)
    return ExternalData(
        file_name=f"{_MEMBERS}.parquet",
        data=sink.getvalue().to_pybytes(),
        fmt="Parquet",
        structure="platform String, id String",
    )
