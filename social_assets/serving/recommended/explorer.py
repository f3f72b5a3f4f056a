"""New posts at some places of a list, drawn with known chances.

Belongs here: what is read for it, and the draw. Which chances there are belongs to
`recommend.exploration`.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from social_assets.recommend.exploration.explored_items import TABLE
from social_assets.recommend.exploration.tried_posts import NEW_DAYS
from social_assets.recommend.interactions import FACT, POSTS, USERS
from social_assets.serving.recommended.lists import RankedItem, place_of

if TYPE_CHECKING:
    import pyarrow as pa
    from clickhouse_connect.driver.client import Client

    from recsys.scoring.ranking import Float64

DRAWN_SECONDS = 600
"""For so long a user is shown the same draw."""

_MOST_GROUPED = 1_000_000
"""Users whose group is held, those that were seen last; all others count as of no group."""

_VERSION = f"SELECT any(policy_version), any(places) FROM {TABLE}"
_POLICY = f"""
SELECT user_group, item_id, chance, expected
FROM {TABLE}
ORDER BY user_group, item_id
"""

_TAKEN = f"""
SELECT DISTINCT posts.post_id, users.user_id
FROM {FACT} AS facts
LEFT ANY JOIN (
    SELECT post_key, post_id FROM {POSTS} WHERE post_id IN (SELECT item_id FROM {TABLE})
) AS posts ON facts.post_key = posts.post_key
LEFT ANY JOIN (SELECT user_key, user_id FROM {USERS}) AS users ON facts.user_key = users.user_key
WHERE posts.post_id != ''
    AND facts.event_date >= today() - {NEW_DAYS + 1}
    AND facts.post_key IN (
        SELECT post_key FROM {POSTS} WHERE post_id IN (SELECT item_id FROM {TABLE})
    )
"""

_GROUPS = f"""
SELECT user_id, toLowCardinality(age_group) AS user_group
FROM (
    SELECT user_id, age_group FROM {USERS}
    WHERE age_group IN (SELECT DISTINCT user_group FROM {TABLE} WHERE user_group != '')
    ORDER BY last_seen_at DESC
    LIMIT {_MOST_GROUPED}
)
ORDER BY user_id
"""


@dataclass(frozen=True)
class Explorer:
    """The policy that serves. `users` are sorted ids with the group of each, and `taken` pairs of a
    post and a user who has it.
    """

    version: str
    places: tuple[int, ...]
    posts: tuple[str, ...]
    chances: dict[str, Float64]
    expected: dict[str, Float64]
    users: Any
    group_of_user: Any
    taken: frozenset[tuple[str, str]]

    def explored(
        self, user: str, entries: list[RankedItem], besides: Collection[str], most: int
    ) -> list[RankedItem]:
        """The list with drawn posts at its places up to `most`; without those of the list, those
        that the user has, and those in `besides`.

        The chance of a post is that of its place, after the draws for the places before it. A user
        is shown the same draw for a while.
        """
        known = place_of(self.users, user)
        group = "" if known < 0 else self.group_of_user[known].as_py()
        listed = {each.item_id for each in entries[:most]}.union(besides)
        chances = self.chances[group].copy()
        for at, post in enumerate(self.posts):
            if post in listed or (post, user) in self.taken:
                chances[at] = 0
        found = entries[:most]
        window = int(time.time() // DRAWN_SECONDS)
        for place in self.places:
            total = float(chances.sum())
            if place > min(most, len(found) + 1) or total <= 0:
                break
            cumulated = chances.cumsum()
            drawn = _share(self.version, user, window, place) * cumulated[-1]
            at = int(cumulated.searchsorted(drawn, "right"))
            expected, chance = float(self.expected[group][at]), float(chances[at]) / total
            found.insert(place - 1, RankedItem(self.posts[at], expected, None, chance))
            chances[at] = 0
        return found[:most]


def read_explorer(client: Client, before: Explorer | None) -> Explorer | None:
    """The policy of the table; None if no post is tried. What was read before is kept, if it is the
    same.
    """
    import numpy as np

    if not client.command(f"EXISTS TABLE {TABLE}"):
        return None
    [(version, places)] = client.query(_VERSION).result_rows
    if not places:
        return None
    if before is not None and (before.version, before.places) == (version, tuple(places)):
        return before
    rows = client.query(_POLICY).result_rows
    groups = dict.fromkeys(row[0] for row in rows)
    chances = {g: np.array([row[2] for row in rows if row[0] == g]) for g in groups}
    expected = {g: np.array([row[3] for row in rows if row[0] == g]) for g in groups}
    posts = tuple(row[1] for row in rows if row[0] == "")
    taken = frozenset((post, user) for post, user in client.query(_TAKEN).result_rows)
    grouped: pa.Table = client.query_arrow(_GROUPS, use_strings=True)
    users, its = (grouped[name].combine_chunks() for name in ("user_id", "user_group"))
    return Explorer(version, tuple(places), posts, chances, expected, users, its, taken)


def _share(version: str, user: str, window: int, place: int) -> float:
    """A number from 0 to below 1 that is fixed for all of them."""
    named = f"{version}\0{user}\0{window}\0{place}".encode()
    return int.from_bytes(blake2b(named, digest_size=6).digest(), "big") / 2**48
