"""Sample community interactions: a member's day in a community, by taste."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from social_assets.demo.samples.flaws import FieldFlaw, Flaw
from social_assets.demo.samples.formats import Spelling
from social_assets.demo.samples.streams.stream import (
    GENDER_LETTERS,
    GENDER_WORDS,
    PLATFORM_SPELLINGS,
    FileKind,
    SampleDay,
    SampleStream,
    coded,
    first_of_each,
    for_parquet,
)
from social_assets.demo.samples.vocabulary import GENDERS, MEMBERSHIPS, PLATFORMS, TOPICS
from social_assets.demo.samples.world import INTERESTS

_NAMES = [f"{tag.capitalize()} Fans" for interests in TOPICS.values() for tag in interests]


def records(day: SampleDay) -> Any:
    """A day's members in their communities, each pair once."""
    rng, people = day.rng, day.world.people
    wanted = len(day.one_per(50))
    # One in five is drawn in vain at most: members who come twice a day count once.
    user = people.draw(wanted + wanted // 4, rng)
    community = people.draw_interest(user, rng)
    kept = first_of_each(user * INTERESTS + community)[:wanted]
    user, community = user[kept], community[kept]
    n = len(user)
    return pa.table(
        {
            "community_id": community + 1,
            "community_name": coded(_NAMES, community),
            "user_id": user + 1,
            "platform": coded(PLATFORMS, community % len(PLATFORMS)),
            "age": people.age[user],
            "gender": coded(GENDERS, people.gender[user]),
            "community_engagement": np.floor(rng.gamma(3, 16, n)).astype(np.int64),
            "membership_status": coded(MEMBERSHIPS, (rng.random(n) < 0.08).astype(np.int64)),
            "total_time_spent": np.clip(rng.normal(120, 60, n), 5, 600).astype(np.int64),
        }
    )


_FLAWS: tuple[Flaw, ...] = (
    FieldFlaw("null_critical", "age", 0.004, (None,)),
    FieldFlaw("null_critical", "user_id", 0.002, (None,)),
    FieldFlaw("out_of_range", "age", 0.003, (7, 140, 0)),
    FieldFlaw("out_of_range", "total_time_spent", 0.003, (-5,)),
    FieldFlaw("out_of_range", "community_engagement", 0.002, (-1,)),
    FieldFlaw("null", "gender", 0.01, (None,), rejects=False),
    FieldFlaw("null", "membership_status", 0.01, (None,), rejects=False),
    FieldFlaw("null", "total_time_spent", 0.005, (None,), rejects=False),
    GENDER_LETTERS,
    GENDER_WORDS,
    PLATFORM_SPELLINGS,
)
STREAM = SampleStream(
    name="community_interactions",
    records=records,
    kinds=(
        FileKind(
            "parquet", (Spelling.PASCAL, Spelling.PASCAL, Spelling.TITLE), for_parquet(_FLAWS)
        ),
        FileKind("parquet", (Spelling.UNDERSCORED,), for_parquet(_FLAWS)),
    ),
)
