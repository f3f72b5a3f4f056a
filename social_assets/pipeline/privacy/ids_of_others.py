"""Ids of persons of one platform that records of other platforms have too, and keep.

Belongs here: finding them after the persons were erased. Two persons of two platforms can have the
same id. Outside of streams nothing tells whose it is, so such an id is not looked for there.
"""

from __future__ import annotations

import pyarrow as pa

from social_assets.pipeline.privacy.erase_persons import in_bytes, parts_of
from social_assets.pipeline.privacy.ids_in_bytes import IdsInBytes
from social_assets.pipeline.privacy.person_ids import PersonIds
from social_assets.pipeline.stores import StreamStores


def ids_of_others(stores: StreamStores, persons: PersonIds) -> set[str]:
    """The ids of persons of one platform that the stream still has."""
    found: set[str] = set()
    for platform, group in persons.by_platform.items():
        if platform is not None:
            found |= _in_columns(stores, group) | _in_records(stores, group)
    return found


def _in_columns(stores: StreamStores, persons: PersonIds) -> set[str]:
    cleaned = stores.cleaned
    found: set[str] = set()
    with stores.engine.session() as session:
        wanted = session.rows(pa.table({"id": pa.array(sorted(persons.ids), pa.string())}))
        for name in stores.contract.persons:
            rows = session.scan(cleaned.files(), cleaned.schema, [name])
            same = rows.semi_join(wanted, rows[name] == wanted["id"])
            found |= set(session.table(same.distinct())[name].to_pylist())
    return found


def _in_records(stores: StreamStores, persons: PersonIds) -> set[str]:
    raw = stores.raw
    found: set[str] = set()
    for part in parts_of(stores, raw, raw.rows_by_day(), raw.schema.names):
        rows = part.filter(in_bytes(persons.distinct, part))
        if rows.num_rows:
            left = persons.without(found).ids
            found |= {each for each in left if in_bytes(IdsInBytes([each]), rows).true_count}
    return found
