"""Sample posts: text and tags of what they are about, once each, on the day of publication."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from social_assets.demo.samples.flaws import FieldFlaw, Flaws, LineFlaw, blank_after, truncated
from social_assets.demo.samples.formats import Spelling
from social_assets.demo.samples.streams.stream import (
    PLATFORM_SPELLINGS,
    FileKind,
    SampleDay,
    SampleStream,
    coded,
    numbered,
)
from social_assets.demo.samples.vocabulary import (
    CLOSINGS,
    MEDIA,
    OPENINGS,
    PLATFORMS,
    REMARKS,
    TOPICS,
)
from social_assets.demo.samples.world import INTERESTS, SECONDS, TOPIC_OF, Ints

_TAGS = [tag for interests in TOPICS.values() for tag in interests]
_SUBJECTS = [subjects for interests in TOPICS.values() for subjects in interests.values()]
_OF_MEDIA = (0.4, 0.3, 0.15, 0.1, 0.05)
_STRAY_TAGS = 0.25  # share of posts with a tag of something else


def records(day: SampleDay) -> Any:
    """The posts published on the day, in the order of time; the first day has older ones too."""
    posts = day.world.posts
    number = day.world.published_on(day.number)
    interest = posts.interest[number]
    # Seconds of the world count from its first midnight.
    first_midnight = day.midnight - day.number * SECONDS
    return pa.table(
        {
            "post_id": numbered("p", number + 1, digits=6).dictionary_decode(),
            "account_id": posts.account[number] + 1,
            "platform": coded(PLATFORMS, posts.platform[number]),
            "content": _content(interest, day.rng),
            "tags": _tags(interest, day.rng),
            "media_type": coded(
                MEDIA, day.rng.choice(5, len(number), p=[0.4, 0.3, 0.15, 0.1, 0.05])
            ),
            "published_at": pa.array(first_midnight + posts.second[number]).cast(
                pa.timestamp("s", "UTC")
            ),
        }
    )


def _content(interest: Ints, rng: np.random.Generator) -> Any:
    def one_of(words: list[str], low: Ints | int, choices: int) -> Any:
        picked = low + rng.integers(0, choices, len(interest))
        return pa.array(words).take(pa.array(picked))

    subjects = [s for of_interest in _SUBJECTS for s in of_interest]
    remarks = [r for topic in TOPICS for r in REMARKS[topic]]
    per_interest, per_topic = len(_SUBJECTS[0]), len(remarks) // len(TOPICS)
    text = pc.binary_join_element_wise(
        one_of(list(OPENINGS), 0, len(OPENINGS)),
        one_of(subjects, interest * per_interest, per_interest),
        "-",
        pc.binary_join_element_wise(
            one_of(remarks, TOPIC_OF[interest] * per_topic, per_topic), ".", ""
        ),
        one_of(list(CLOSINGS), 0, len(CLOSINGS)),
        " ",
    )
    return pc.utf8_rtrim_whitespace(text)


def _tags(interest: Ints, rng: np.random.Generator) -> Any:
    """The interest, its topic, and now and then something else, as lists."""
    words = pa.array([*_TAGS, *TOPICS])
    tags = np.stack(
        [interest, INTERESTS + TOPIC_OF[interest], rng.integers(0, INTERESTS, len(interest))],
        axis=1,
    )
    kept = np.ones(tags.shape, np.bool_)
    kept[:, 2] = rng.random(len(interest)) < _STRAY_TAGS
    offsets = np.concatenate(([0], np.cumsum(kept.sum(axis=1)))).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), words.take(pa.array(tags[kept])))


_FLAWS = Flaws(
    [
        FieldFlaw("null_critical", "account_id", 0.004, (None,)),
        FieldFlaw("null_critical", "post_id", 0.002, (None,)),
        FieldFlaw("wrong_type", "account_id", 0.003, ([7], {"id": 7}), text_only=True),
        FieldFlaw("wrong_type", "published_at", 0.003, ("last week", "n.d. 2026"), text_only=True),
        FieldFlaw("null", "content", 0.01, (None,), rejects=False),
        FieldFlaw("null", "tags", 0.01, (None,), rejects=False),
        FieldFlaw("null", "media_type", 0.01, (None,), rejects=False),
        LineFlaw("truncated", 0.002, truncated),
        LineFlaw("blank_line", 0.002, blank_after, rejects=False),
        PLATFORM_SPELLINGS,
    ]
)
STREAM = SampleStream(
    name="posts",
    records=records,
    kinds=(FileKind("ndjson", (Spelling.SNAKE,), _FLAWS),),
)
