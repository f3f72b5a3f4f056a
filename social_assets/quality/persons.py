"""Whether `star.dim_person` and `star.person_merges` are what the links say.

Belongs here: what the checks of persons compute, without Dagster, by queries that do not use the
union-find which made the tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from social_assets.pipeline.identity.person_tables import (
    DIM_PERSON,
    LINKS,
    read_merges,
    read_persons,
)
from social_assets.transform.identity.identities import SEPARATOR
from social_assets.transform.identity.persons import wrong_merges

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_EXAMPLES = 5


@dataclass(frozen=True)
class LinkedPersons:
    """Identities of links without a person, or with several; and links between two persons."""

    identities: int
    without_person: int
    doubled: int
    parted_links: int

    @property
    def is_right(self) -> bool:
        """Whether every identity of a link has one person, that of the link's other end."""
        return not (self.without_person or self.doubled or self.parted_links)


@dataclass(frozen=True)
class WrongMerges:
    """Former or present persons whose merges lead in a circle, or to another person."""

    merges: int
    wrong: int
    examples: tuple[str, ...]


def linked_persons(client: Client, landed_until: datetime) -> LinkedPersons:
    """Count over all links that landed until a time; later ones may not have persons yet."""
    parameters = {"until": landed_until}
    links = f"{LINKS} WHERE ingested_at <= {{until:DateTime64(6, 'UTC')}}"
    [(identities, without)] = client.query(
        "SELECT count(), countIf((platform, user_id) NOT IN\n"
        f"  (SELECT toString(platform), user_id FROM {DIM_PERSON.name}))\n"
        f"FROM (SELECT toString(platform) AS platform, user_id FROM {links}\n"
        f"  UNION DISTINCT SELECT toString(linked_platform), linked_user_id FROM {links})",
        parameters=parameters,
    ).result_rows
    [(doubled,)] = client.query(
        f"SELECT count() - uniqExact(platform, user_id) FROM {DIM_PERSON.name}"
    ).result_rows
    [(parted,)] = client.query(
        f"SELECT count() FROM (SELECT * FROM {links}) AS l\n"
        f"INNER JOIN {DIM_PERSON.name} AS a\n"
        "  ON a.platform = l.platform AND a.user_id = l.user_id\n"
        f"INNER JOIN {DIM_PERSON.name} AS b\n"
        "  ON b.platform = l.linked_platform AND b.user_id = l.linked_user_id\n"
        "WHERE a.person_key != b.person_key",
        parameters=parameters,
    ).result_rows
    return LinkedPersons(int(identities), int(without), int(doubled), int(parted))


def merges_that_lead_astray(client: Client) -> WrongMerges:
    """Follow the merges of all identities."""
    merges = read_merges(client)
    wrong = wrong_merges(read_persons(client), merges)
    shown = [text.replace(SEPARATOR, ":") for text in wrong.slice(0, _EXAMPLES).to_pylist()]
    return WrongMerges(len(merges.person), len(wrong), tuple(shown))
