"""Sample engagement events: what users do with the posts they meet, and audience counts."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pyarrow as pa

from social_assets.contracts.engagement_events import METRIC_TYPES
from social_assets.demo.samples.flaws import (
    FieldFlaw,
    Flaw,
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
    for_parquet,
    numbered,
)
from social_assets.demo.samples.vocabulary import PLATFORMS
from social_assets.demo.samples.world import SECONDS, Bools, Encounters, Floats, Ints

_AUDIENCES = 0.08  # share of records that count an audience and name no user
_AUDIENCE_METRICS = ("impression", "reach", "view")
_REACTIONS: tuple[tuple[tuple[str, ...], float, float], ...] = (
    (("view",), 0.28, 0.53),
    (("impression",), 0.08, 0.27),
    (("view", "like"), 0.27, 0.09),
    (("view", "click"), 0.07, 0.05),
    (("view", "like", "comment"), 0.10, 0.01),
    (("view", "like", "share"), 0.08, 0.01),
    (("view", "rating"), 0.10, 0.04),
    (("view", "like", "follow"), 0.02, 0.00),
)
"""What a user does with a post, and how often: if taste led to it, and if not."""
_MEAN_REACTIONS = 1.3  # fewer than the true mean, so that enough encounters are drawn


@dataclass(frozen=True)
class _Reactions:
    """Single reactions: the encounter each came from, and what it was."""

    encounter: Ints
    metric: Ints
    second: Ints
    value: Floats
    is_audience: Bools

    def in_order_of_time(self) -> _Reactions:
        order = np.argsort(self.second, kind="stable")
        return _Reactions(*(getattr(self, column.name)[order] for column in fields(self)))


def records(day: SampleDay) -> Any:
    """A day's events in the order of time, without flaws: exactly as many as planned for
    the day.
    """
    audiences = int(len(day.events) * _AUDIENCES)
    single = len(day.events) - audiences
    wanted = audiences + int(single / _MEAN_REACTIONS) + 100
    met = day.world.encounters(day.number, wanted, day.rng)
    return _table(day, met, _reactions(met, audiences, single, day.rng).in_order_of_time())


def _table(day: SampleDay, met: Encounters, events: _Reactions) -> Any:
    post = met.post[events.encounter]
    users = numbered("", met.user[events.encounter] + 1)
    named = pa.array(users.indices.to_numpy(), mask=events.is_audience)
    return pa.table(
        {
            "event_id": _event_ids(len(post), day.rng),
            "event_time": pa.array(day.midnight + events.second).cast(pa.timestamp("s", "UTC")),
            "platform": coded(PLATFORMS, day.world.posts.platform[post]),
            "account_id": day.world.posts.account[post] + 1,
            "post_id": numbered("p", post + 1, digits=6),
            "user_id": pa.DictionaryArray.from_arrays(named, users.dictionary),
            "metric_type": coded(METRIC_TYPES, events.metric),
            "value": events.value,
        }
    )


def _reactions(
    met: Encounters, audiences: int, single: int, rng: np.random.Generator
) -> _Reactions:
    """`single` reactions of users, and one audience count of each of the first encounters."""
    encounter, metric, step = _of_users(met.by_taste[audiences:], rng)
    encounter = np.concatenate([encounter[:single] + audiences, np.arange(audiences)])
    metric = np.concatenate([metric[:single], _codes(rng.choice(_AUDIENCE_METRICS, audiences))])
    step = np.concatenate([step[:single], np.zeros(audiences, np.int64)])
    second = met.second[encounter] + step * rng.integers(2, 40, len(metric))
    is_audience = np.arange(len(metric)) >= single
    return _Reactions(
        encounter=encounter,
        metric=metric,
        second=np.minimum(second, SECONDS - 1),
        value=_values(metric, met.by_taste[encounter], is_audience, rng),
        is_audience=is_audience,
    )


def _of_users(by_taste: Bools, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """Encounter, metric and place in the order of reactions, for every single reaction."""
    metrics = _codes(np.array([m for reaction, _, _ in _REACTIONS for m in reaction]))
    lengths = np.array([len(reaction) for reaction, _, _ in _REACTIONS])
    starts = np.cumsum(lengths) - lengths
    tasteful = np.cumsum([share for _, share, _ in _REACTIONS])[:-1]
    others = np.cumsum([share for _, _, share in _REACTIONS])[:-1]
    u = rng.random(len(by_taste))
    kind = np.where(by_taste, np.searchsorted(tasteful, u), np.searchsorted(others, u))
    encounter = np.repeat(np.arange(len(by_taste)), lengths[kind])
    first = np.cumsum(lengths[kind]) - lengths[kind]
    step = np.arange(len(encounter)) - first[encounter]
    return encounter, metrics[starts[kind][encounter] + step], step


def _values(metric: Ints, by_taste: Bools, is_audience: Bools, rng: np.random.Generator) -> Floats:
    """1 for what one user does, 0 to 10 for a rating, the number of people for an audience."""
    people = np.floor(rng.lognormal(5, 1.2, len(metric))) + 1
    opinion = np.where(by_taste, 7.8, 5.6) + rng.normal(0, 1.5, len(metric))
    is_rating = metric == METRIC_TYPES.index("rating")
    of_user = np.where(is_rating, np.clip(np.rint(opinion), 0, 10), 1.0)
    return np.where(is_audience, people, of_user)


def _codes(metrics: Any) -> Ints:
    names = np.array(METRIC_TYPES)
    order = np.argsort(names)
    found: Ints = order[np.searchsorted(names, metrics, sorter=order)]
    return found


def _event_ids(n: int, rng: np.random.Generator) -> Any:
    """Random MD5-like ids: 32 hexadecimal digits."""
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)
    nibbles = np.frombuffer(rng.bytes(16 * n), np.uint8)
    text = np.empty(32 * n, np.uint8)
    text[0::2] = digits[nibbles >> 4]
    text[1::2] = digits[nibbles & 15]
    offsets = np.arange(0, 32 * n + 1, 32, dtype=np.int32)
    return pa.StringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(text))


_FIELDS: tuple[Flaw, ...] = (
    FieldFlaw("unknown_metric", "metric_type", 0.0025, ("superlike", "saves", "profile_visit")),
    FieldFlaw("out_of_range", "value", 0.0015, (-1.0, -12.0)),
    FieldFlaw("null_critical", "value", 0.0015, (None,)),
    FieldFlaw("null_critical", "account_id", 0.0012, (None,)),
    FieldFlaw("null_critical", "metric_type", 0.0005, (None,)),
    FieldFlaw("null_critical", "event_id", 0.0005, (None,)),
    FieldFlaw("null", "platform", 0.003, (None,), rejects=False),
    FieldFlaw("null", "user_id", 0.002, (None,), rejects=False),
    PLATFORM_SPELLINGS,
)
_TEXT: tuple[Flaw, ...] = (
    FieldFlaw("wrong_type", "value", 0.0012, ("many", "one", [1], {"count": 3}), text_only=True),
    FieldFlaw("wrong_type", "account_id", 0.0006, ([17], {"id": 17}), text_only=True),
    FieldFlaw(
        "unreadable_time",
        "event_time",
        0.0003,
        ("yesterday", "2026-13-45T99:00:00Z", "", None),
        text_only=True,
    ),
    FieldFlaw(
        "invalid_utf8", "platform", 0.0002, (b'"Caf\xe9gram"', b'"\xff\xfeX"'), text_only=True
    ),
    LineFlaw("truncated", 0.0003, truncated),
    LineFlaw("not_an_object", 0.0001, no_object),
    LineFlaw("blank_line", 0.0003, blank_after, rejects=False),
)

_SNAKE = FileKind("ndjson", (Spelling.SNAKE,), Flaws([*_FIELDS, *_TEXT]))
STREAM = SampleStream(
    name="engagement_events",
    records=records,
    kinds=(
        _SNAKE,
        FileKind("ndjson.gz", (Spelling.CAMEL,), Flaws([*_FIELDS, *_TEXT])),
        FileKind("parquet", (Spelling.SNAKE,), for_parquet(_FIELDS)),
        _SNAKE,
    ),
    carries_time=True,
)
