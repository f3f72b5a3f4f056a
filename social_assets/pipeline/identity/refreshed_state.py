"""Which links the stored persons were computed from, so that a refresh reads new links alone.

Belongs here: the one row that a refresh stores last, and whether it still describes the tables.
Links and persons are compared by their rows' hashes: if a link was unloaded or landed late, or if a
table was changed by someone else, the row describes them no longer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from social_assets.pipeline.identity.person_tables import (
    DIM_PERSON,
    LINKS,
    PERSON_MERGES,
    PersonTable,
)

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_STATE = "star.persons_refreshed"
_CREATE = f"""
CREATE TABLE IF NOT EXISTS {_STATE} (
  links_landed_until DateTime64(6, 'UTC') COMMENT 'When the newest link landed that was read',
  links Tuple(UInt64, UInt64) COMMENT 'Number of the links, sum of their hashes',
  persons Tuple(UInt64, UInt64) COMMENT 'The same of dim_person',
  merges Tuple(UInt64, UInt64) COMMENT 'The same of person_merges',
  refreshed_at DateTime64(6, 'UTC') COMMENT 'When a refresh stored this'
)
ENGINE = ReplacingMergeTree(refreshed_at) ORDER BY tuple()
COMMENT 'What the last refresh of persons read and stored: one row'
"""

Contents = tuple[int, int]
"""The number of a table's rows, and the sum of their hashes: equal for equal rows in any order."""


@dataclass(frozen=True)
class LandedLinks:
    """The links that have landed, and when the newest of them did; None: there is no link."""

    contents: Contents
    until: datetime | None


def landed_links(client: Client, until: datetime | None = None) -> LandedLinks:
    """All links, or those that landed until a time."""
    [(rows, hashes, newest)] = client.query(
        "SELECT count(), sum(sipHash64(toString(platform), user_id,\n"
        "  toString(linked_platform), linked_user_id)), max(ingested_at)\n"
        f"FROM {LINKS} WHERE {{all:Bool}} OR ingested_at <= {{until:DateTime64(6, 'UTC')}}",
        parameters={"all": until is None, "until": until or datetime(1970, 1, 1, tzinfo=UTC)},
    ).result_rows
    return LandedLinks((rows, hashes), newest.replace(tzinfo=UTC) if rows else None)


def links_known_until(client: Client) -> datetime | None:
    """Until when the stored persons are those of all links that landed.

    None: that is not known, because the tables or the links are not those of the last refresh.
    """
    client.command(_CREATE)
    found = client.query(
        f"SELECT links_landed_until, links, persons, merges FROM {_STATE} FINAL"
    ).result_rows
    if not found:
        return None
    [(landed_until, links, persons, merges)] = found
    until: datetime = landed_until.replace(tzinfo=UTC)
    stored = (_contents(client, DIM_PERSON), _contents(client, PERSON_MERGES))
    if stored != (persons, merges) or landed_links(client, until).contents != links:
        return None
    return until


def record_refresh(client: Client, landed: LandedLinks, at: datetime) -> None:
    """Store that the tables hold the persons of the links. To be called after all other steps."""
    if landed.until is None:
        client.command(f"TRUNCATE TABLE {_STATE} SYNC")
        return
    stored = [_contents(client, DIM_PERSON), _contents(client, PERSON_MERGES)]
    client.insert(_STATE, [[landed.until, landed.contents, *stored, at]])


def _contents(client: Client, table: PersonTable) -> Contents:
    columns = ("toString(platform)", "user_id", *map("toString({})".format, table.target))
    [(rows, hashes)] = client.query(
        f"SELECT count(), sum(sipHash64({', '.join(columns)})) FROM {table.name}"
    ).result_rows
    return rows, hashes
