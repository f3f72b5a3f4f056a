"""Brings `star.dim_person` and `star.person_merges` to what all links say now.

Belongs here: the order of the steps. Merges are stored first: if the process is killed in between,
the next refresh finds the same differences in `star.dim_person`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from social_assets.lake.lock import stream_lock
from social_assets.pipeline.identity.person_tables import (
    DIM_PERSON,
    PERSON_MERGES,
    RowChanges,
    create_tables,
    read_links,
    read_merges,
    read_persons,
    replace_rows,
)
from social_assets.transform.identity.persons import changes_of, persons_of

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client


@dataclass(frozen=True)
class RefreshedPersons:
    """The linked identities and their persons, and what a refresh has changed."""

    identities: int
    persons: int
    changed: int
    gone: int
    merged: int
    landed_until: datetime | None
    """When the newest link landed that was surely read; None: there is no link."""


def refresh_persons(client: Client, locks: Path, run: str, at: datetime) -> RefreshedPersons:
    """Compute the persons of all links, and store the rows that differ. One process at a time.

    Repeating it changes nothing. Merges that it finds get the time `at`.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    with stream_lock(locks, DIM_PERSON.name):
        create_tables(client)
        links = read_links(client)
        after = persons_of(links.left, links.right)
        changes = changes_of(read_persons(client), read_merges(client), after)
        merges, persons = changes.merges, changes.persons
        found = {"merged_at": pa.scalar(at, pa.timestamp("us", "UTC"))}
        merged = RowChanges(changes.unmerged, merges.person, merges.into, found)
        replace_rows(client, PERSON_MERGES, merged, run)
        changed = RowChanges(changes.gone, persons.identity, persons.person)
        replace_rows(client, DIM_PERSON, changed, run)
    return RefreshedPersons(
        identities=len(after.identity),
        persons=pc.count_distinct(after.person).as_py(),
        changed=len(persons.identity),
        gone=len(changes.gone),
        merged=len(merges.person),
        landed_until=links.landed_until,
    )
