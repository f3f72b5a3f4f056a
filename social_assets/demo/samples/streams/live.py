"""Sample live streaming: who watched which live event, at what time of day and on what."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from social_assets.demo.samples.flaws import (
    FieldFlaw,
    Flaws,
    LineFlaw,
    blank_after,
    no_object,
    truncated,
)
from social_assets.demo.samples.formats import Spelling
from social_assets.demo.samples.streams.stream import (
    PLATFORM_SPELLINGS,
    FileKind,
    SampleDay,
    SampleStream,
    coded,
)
from social_assets.demo.samples.times import SPELT_TIMES, time_of_day
from social_assets.demo.samples.vocabulary import DEVICES, LIVE_EVENTS, PLATFORMS, TOPICS
from social_assets.demo.samples.world import TOPIC_OF, seconds

_EVENT_TYPES = sorted(set(LIVE_EVENTS.values()))
_TYPE_OF_TOPIC = np.array([_EVENT_TYPES.index(LIVE_EVENTS[topic]) for topic in TOPICS])
_SHOWN_ON = PLATFORMS[:5]


def records(day: SampleDay) -> Any:
    """A day's live events in the order of their ids."""
    rng, people = day.rng, day.world.people
    event_id = np.array(day.one_per(50), np.int64)
    n = len(event_id)
    user = people.draw(n, rng)
    topic = TOPIC_OF[people.draw_interest(user, rng)]
    viewers = np.floor(rng.lognormal(5.5, 0.9, n)) + 10
    return pa.table(
        {
            "event_id": event_id,
            "event_type": coded(_EVENT_TYPES, _TYPE_OF_TOPIC[topic]),
            "user_id": user + 1,
            "platform": coded(_SHOWN_ON, rng.integers(0, len(_SHOWN_ON), n)),
            "live_engagement": np.floor(viewers * rng.gamma(2, 2, n)).astype(np.int64),
            "viewer_count": viewers.astype(np.int64),
            "stream_duration": rng.integers(30, 181, n),
            "device_type": coded(DEVICES, rng.choice(3, n, p=[0.6, 0.27, 0.13])),
            "watch_time": time_of_day(seconds(n, rng)),
            "addiction_level": people.addiction[user],
        }
    )


_FLAWS = Flaws(
    [
        FieldFlaw("null_critical", "user_id", 0.003, (None,)),
        FieldFlaw("null_critical", "event_id", 0.001, (None,)),
        FieldFlaw("out_of_range", "viewer_count", 0.003, (-1, -250)),
        FieldFlaw("out_of_range", "addiction_level", 0.003, (11, -1, 99)),
        FieldFlaw("wrong_type", "stream_duration", 0.002, ("an hour", "02h"), text_only=True),
        FieldFlaw("unreadable_time", "watch_time", 0.002, ("25:61:00", "evening")),
        FieldFlaw("null", "watch_time", 0.005, (None,), rejects=False),
        FieldFlaw("null", "device_type", 0.005, (None,), rejects=False),
        LineFlaw("truncated", 0.001, truncated),
        LineFlaw("not_an_object", 0.0005, no_object),
        LineFlaw("blank_line", 0.001, blank_after, rejects=False),
        SPELT_TIMES,
        PLATFORM_SPELLINGS,
    ]
)
STREAM = SampleStream(
    name="live_streaming",
    records=records,
    kinds=(
        FileKind("ndjson", (Spelling.PASCAL, Spelling.PASCAL, Spelling.TITLE), _FLAWS),
        FileKind("ndjson", (Spelling.TITLE,), _FLAWS),
    ),
)
