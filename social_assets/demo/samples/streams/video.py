"""Sample video interactions: who watched which video in what setting, in three kinds of file."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from social_assets.demo.samples.flaws import (
    FieldFlaw,
    Flaw,
    Flaws,
    LineFlaw,
    Respelling,
    blank_after,
    no_object,
    shifted_from,
    truncated,
)
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
from social_assets.demo.samples.times import SPELT_TIMES, time_of_day
from social_assets.demo.samples.vocabulary import (
    ACTIVITIES,
    CATEGORIES,
    CONNECTIONS,
    COUNTRIES,
    DEVICES,
    FREQUENCIES,
    GENDERS,
    LIVING,
    PLATFORMS,
    PROFESSIONS,
    REASONS,
    SYSTEMS,
    TOPICS,
)
from social_assets.demo.samples.world import TOPIC_OF, Ints, seconds

_GENRES = sorted(set(CATEGORIES.values()))
_GENRE_OF_TOPIC = np.array([_GENRES.index(CATEGORIES[topic]) for topic in TOPICS])


def records(day: SampleDay) -> Any:
    """A day's pairs of user and video, each once."""
    user, video = _pairs(day)
    rng, people, videos = day.rng, day.world.people, day.world.videos
    n = len(user)
    addiction = np.clip(people.addiction[user] + rng.integers(-1, 2, n), 0, 10)
    length = videos.length[video]
    return pa.table(
        {
            "user_id": user + 1,
            "age": people.age[user],
            "gender": coded(GENDERS, people.gender[user]),
            "location": coded(COUNTRIES, people.country[user]),
            "income": people.income[user],
            "debt": people.debt[user],
            "owns_property": people.owns_property[user],
            "profession": coded(PROFESSIONS, people.profession[user]),
            "demographics": coded(LIVING, people.urban[user]),
            "platform": coded(PLATFORMS, rng.choice(5, n, p=[0.3, 0.3, 0.2, 0.05, 0.15])),
            "total_time_spent": np.clip(rng.normal(120, 60, n), 5, 600).astype(np.int64),
            "number_of_sessions": rng.integers(1, 20, n),
            "video_id": video + 1,
            "video_category": coded(_GENRES, _GENRE_OF_TOPIC[videos.topic[video]]),
            "video_length": length,
            "engagement": np.floor(rng.lognormal(8, 0.8, n)).astype(np.int64),
            "importance_score": rng.integers(0, 13, n),
            "time_spent_on_video": np.maximum(1, np.rint(length * rng.beta(4, 2, n))).astype(int),
            "number_of_videos_watched": rng.integers(1, 50, n),
            "scroll_rate": rng.integers(1, 100, n),
            "frequency": coded(FREQUENCIES, rng.choice(4, n, p=[0.37, 0.31, 0.21, 0.11])),
            "productivity_loss": np.clip(addiction + rng.integers(-1, 4, n), 0, 10),
            "satisfaction": np.clip(9 - addiction + rng.integers(-2, 2, n), 0, 10),
            "watch_reason": coded(REASONS, rng.choice(4, n, p=[0.36, 0.28, 0.25, 0.11])),
            "device_type": coded(DEVICES, rng.choice(3, n, p=[0.59, 0.28, 0.13])),
            "os": coded(SYSTEMS, people.system[user]),
            "watch_time": time_of_day(seconds(n, rng)),
            "self_control": np.clip(9 - addiction, 0, 10),
            "addiction_level": addiction,
            "current_activity": coded(ACTIVITIES, rng.choice(4, n, p=[0.4, 0.26, 0.22, 0.12])),
            "connection_type": coded(CONNECTIONS, (rng.random(n) < 0.33).astype(np.int64)),
        }
    )


def _pairs(day: SampleDay) -> tuple[Ints, Ints]:
    """Users and what they watch: mostly a video of a topic they like."""
    rng, world = day.rng, day.world
    wanted = len(day.one_per(25))
    # One in five is drawn in vain at most: a video watched twice a day counts once.
    user = world.people.draw(wanted + wanted // 4, rng)
    liked = TOPIC_OF[world.people.draw_interest(user, rng)]
    topic = np.where(rng.random(len(user)) < 0.7, liked, rng.integers(0, len(TOPICS), len(user)))
    video = world.videos.of_topic.draw(topic, rng)
    kept = first_of_each(user * len(world.videos.topic) + video)[:wanted]
    return user[kept], video[kept]


_FIELDS: tuple[Flaw, ...] = (
    FieldFlaw("null_critical", "age", 0.002, (None,)),
    FieldFlaw("null_critical", "video_id", 0.001, (None,)),
    FieldFlaw("out_of_range", "age", 0.002, (7, 140)),
    FieldFlaw("out_of_range", "satisfaction", 0.002, (-1, 11)),
    FieldFlaw("out_of_range", "self_control", 0.001, (12,)),
    FieldFlaw("out_of_range", "importance_score", 0.001, (-2, -3)),
    FieldFlaw("null_critical", "user_id", 0.0005, (None,)),
    FieldFlaw("unreadable_time", "watch_time", 0.001, ("25:61:00", "evening")),
    FieldFlaw("null", "watch_time", 0.003, (None,), rejects=False),
    FieldFlaw("null", "income", 0.005, (None,), rejects=False),
    FieldFlaw("null", "location", 0.005, (None,), rejects=False),
    SPELT_TIMES,
    GENDER_LETTERS,
    GENDER_WORDS,
    PLATFORM_SPELLINGS,
)
_WRONG_TYPES: tuple[Flaw, ...] = (
    FieldFlaw("wrong_type", "scroll_rate", 0.001, ("fast", "n.a. today"), text_only=True),
    FieldFlaw("wrong_type", "age", 0.001, ("thirty", "18-24"), text_only=True),
)
_BOOLEANS = (
    Respelling("boolean_spelling", "debt", 0.05, ((True, "YES"), (False, "NO")), text_only=True),
    Respelling(
        "boolean_spelling", "owns_property", 0.05, ((True, "1"), (False, "0")), text_only=True
    ),
    Respelling(
        "boolean_spelling", "debt", 0.05, ((True, "True"), (False, "False")), text_only=True
    ),
)
_CSV = Flaws(
    [
        *_FIELDS,
        *_WRONG_TYPES,
        *_BOOLEANS,
        FieldFlaw("invalid_utf8", "location", 0.001, (b"R\xe9union", b"C\xf4te"), text_only=True),
        LineFlaw("shifted", 0.006, shifted_from("demographics")),
        LineFlaw("blank_line", 0.002, blank_after, rejects=False),
    ]
)
_NDJSON = Flaws(
    [
        *_FIELDS,
        *_WRONG_TYPES,
        *_BOOLEANS,
        FieldFlaw(
            "invalid_utf8", "location", 0.001, (b'"R\xe9union"', b'"C\xf4te"'), text_only=True
        ),
        LineFlaw("truncated", 0.001, truncated),
        LineFlaw("not_an_object", 0.0005, no_object),
        LineFlaw("blank_line", 0.002, blank_after, rejects=False),
    ]
)
STREAM = SampleStream(
    name="video_interactions",
    records=records,
    kinds=(
        FileKind("csv", (Spelling.PASCAL,), _CSV),
        FileKind("ndjson", (Spelling.TITLE, Spelling.TITLE, Spelling.PASCAL), _NDJSON),
        FileKind("parquet", (Spelling.TITLE, Spelling.UNDERSCORED), for_parquet(_FIELDS)),
    ),
)
