"""Brings `star.dim_person` and `star.person_merges` to what all links say now.

Belongs here: the order of the steps. Merges are stored first: if the process is killed in between,
the next refresh finds the same differences in `star.dim_person`. What was read is recorded last.
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
    Links,
    RowChanges,
    count_persons,
    create_tables,
    read_links,
    read_merges,
    read_persons,
    replace_rows,
)
from social_assets.pipeline.identity.refreshed_state import (
    landed_links,
    links_known_until,
    record_refresh,
)
from social_assets.transform.identity.persons import Persons, changes_of, persons_of

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
    links_read: int
    """Different pairs of identities. Fewer than all, if the last refresh had read the others."""


def refresh_persons(client: Client, locks: Path, run: str, at: datetime) -> RefreshedPersons:
    """Compute the persons of links, and store the rows that differ. One process at a time.

    Reads the links that landed since the last refresh, and the rows of the persons whom they name;
    or everything, if links or rows are not those of the last refresh. Repeating it changes nothing.
    Merges that it finds get the time `at`.
    """
    import pyarrow as pa

    with stream_lock(locks, DIM_PERSON.name):
        create_tables(client)
        known_until = links_known_until(client)
        # Before the links are read: a link that lands meanwhile is not recorded as read.
        landed = landed_links(client)
        links = read_links(client, known_until)
        before = read_persons(client, known_until)
        after = _persons_after(links, Persons.none() if known_until is None else before)
        changes = changes_of(before, read_merges(client, known_until), after)
        found = {"merged_at": pa.scalar(at, pa.timestamp("us", "UTC"))}
        merged = RowChanges(changes.unmerged, changes.merges.person, changes.merges.into, found)
        replace_rows(client, PERSON_MERGES, merged, run)
        persons = changes.persons
        replace_rows(
            client, DIM_PERSON, RowChanges(changes.gone, persons.identity, persons.person), run
        )
        record_refresh(client, landed, at)
        identities, count = count_persons(client)
    return RefreshedPersons(
        identities=identities,
        persons=count,
        changed=len(persons.identity),
        gone=len(changes.gone),
        merged=len(changes.merges.person),
        landed_until=landed.until,
        links_read=len(links.left),
    )


def _persons_after(links: Links, kept: Persons) -> Persons:
    """The persons of links and of those that stay: an identity and its person are linked too."""
    import pyarrow as pa

    return persons_of(
        pa.chunked_array([*links.left.chunks, *kept.identity.chunks], pa.large_string()),
        pa.chunked_array([*links.right.chunks, *kept.person.chunks], pa.large_string()),
    )
