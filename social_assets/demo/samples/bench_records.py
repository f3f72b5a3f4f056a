"""Writes many clean engagement events for benchmarks: NDJSON of exactly 500 bytes a record.

Belongs here: only speed. The events are valid and distinct, evenly spread in time, without meaning;
`generate` makes dirt and tastes. There are two spreads of popularity, since the size of a rollup
depends on it. Every varying field has a fixed width, so that lines are rows of one array of bytes,
filled column by column.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from social_assets.contracts.engagement_events import METRIC_TYPES

RECORD_BYTES = 500
_AT_ONCE = 100_000
POSTS = 50_000
FIRST_ACCOUNT, ACCOUNTS = 1_000, 2_000
_HOLES = {"event_id": "#" * 32, "event_time": "@" * 19, "post_id": "$" * 6, "user_id": "%" * 6}
_ACCOUNT = 9999  # four digits, replaced by other four
_AGENT = "Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Mobile"

ZIPF_EXPONENT = 1.05
METRIC_SHARES: Mapping[str, float] = {
    "impression": 0.46,
    "view": 0.27,
    "reach": 0.11,
    "like": 0.09,
    "click": 0.03,
    "comment": 0.015,
    "share": 0.012,
    "follow": 0.008,
    "rating": 0.005,
}
"""The share of each kind of reaction: most of an audience only sees a post."""

PLATFORMS = ("Instagram", "TikTok", "YouTube", "Facebook")

Bytes = NDArray[np.uint8]


class Spread(Enum):
    """The distribution of events over posts.

    EVEN: every post, account and kind of reaction is equally frequent and independent, all on one
    platform: the most groups that a rollup can have. LIFELIKE: a post belongs to one account and an
    account to one platform, posts are popular by Zipf's law, and kinds have METRIC_SHARES.
    """

    EVEN = "even"
    LIFELIKE = "lifelike"


@dataclass(frozen=True)
class BenchBlock:
    """Some records: the bytes of each, which end in a line break; their times; their accounts."""

    lines: Bytes
    at: NDArray[np.datetime64]
    accounts: Bytes


@dataclass(frozen=True)
class _About:
    """For each event: the row of the templates, the post and the account."""

    template: NDArray[np.int64]
    post: NDArray[np.int64]
    account: NDArray[np.int64]


def write_bench_records(
    path: Path, records: int, *, end: date, days: int = 1, seed: int = 7
) -> int:
    """Write `records` events of the `days` up to and including `end`; returns the bytes written.

    The same arguments give the same file. Memory is bounded, whatever the number. Raises
    ValueError for fewer than 1 record or day.
    """
    until = datetime.combine(end + timedelta(days=1), time())
    with path.open("wb") as file:
        for block in bench_blocks(records, until=until, days=days, seed=seed):
            file.write(block.lines.data)
    return records * RECORD_BYTES


def bench_blocks(
    records: int,
    *,
    until: datetime,
    days: int = 1,
    seed: int = 7,
    spread: Spread = Spread.EVEN,
) -> Iterator[BenchBlock]:
    """`records` events of the `days` before `until` (UTC, without a zone), a block at a time.

    In the order of time, all ids distinct. Raises ValueError as `write_bench_records` does.
    """
    if records < 1 or days < 1:
        raise ValueError(f"records is {records} and days is {days}: both must be 1 or more")
    templates = np.stack([_template(m, p) for p in PLATFORMS for m in METRIC_TYPES])
    first = np.datetime64(until - timedelta(days=days), "s")
    for start in range(0, records, _AT_ONCE):
        number = np.arange(start, min(start + _AT_ONCE, records))
        at = first + number * (days * 86_400) // records
        rng = np.random.default_rng([seed, start])
        lines = _lines(templates, at, _ABOUT[spread](rng, len(at)), rng)
        account = bytes(templates[0]).index(str(_ACCOUNT).encode())
        yield BenchBlock(lines, at, lines[:, account : account + 4])


def _even(rng: np.random.Generator, n: int) -> _About:
    return _About(
        rng.integers(0, len(METRIC_TYPES), n),
        rng.integers(0, POSTS, n),
        rng.integers(FIRST_ACCOUNT, FIRST_ACCOUNT + ACCOUNTS, n),
    )


def _lifelike(rng: np.random.Generator, n: int) -> _About:
    popularity = np.arange(1, POSTS + 1, dtype=np.float64) ** -ZIPF_EXPONENT
    shares = np.array([METRIC_SHARES[metric] for metric in METRIC_TYPES])
    post = _drawn(rng, popularity, n)
    # Neighbours in popularity belong to different accounts, so that no account has all.
    account = FIRST_ACCOUNT + post % ACCOUNTS
    platform = account % len(PLATFORMS)
    metric = _drawn(rng, shares, n)
    return _About(platform * len(METRIC_TYPES) + metric, post, account)


_ABOUT = {Spread.EVEN: _even, Spread.LIFELIKE: _lifelike}


def _drawn(rng: np.random.Generator, weights: NDArray[np.float64], n: int) -> NDArray[np.int64]:
    """`n` positions, drawn by their weights."""
    shares = np.cumsum(weights) / weights.sum()
    return np.minimum(np.searchsorted(shares, rng.random(n)), len(weights) - 1)


def _lines(
    templates: Bytes, at: NDArray[np.datetime64], about: _About, rng: np.random.Generator
) -> Bytes:
    n = len(at)
    lines = templates[about.template]
    places = {name: bytes(templates[0]).index(hole.encode()) for name, hole in _HOLES.items()}
    account = bytes(templates[0]).index(str(_ACCOUNT).encode())
    lines[:, places["event_id"] :][:, :32] = _hexadecimal(rng, n)
    lines[:, places["event_time"] :][:, :19] = _iso(at)
    lines[:, places["post_id"] :][:, :6] = _digits(about.post, 6)
    lines[:, places["user_id"] :][:, :6] = _digits(rng.integers(100_000, 300_000, n), 6)
    lines[:, account : account + 4] = _digits(about.account, 4)
    return lines


def _template(metric: str, platform: str) -> Bytes:
    """A template record of one metric, filled up to the wanted length."""
    record = {
        "event_id": _HOLES["event_id"],
        "event_time": _HOLES["event_time"] + "Z",
        "account_id": _ACCOUNT,
        "post_id": "p" + _HOLES["post_id"],
        "user_id": _HOLES["user_id"],
        "platform": platform,
        "metric_type": metric,
        "value": 8 if metric == "rating" else 1,
        "app_version": "412.0.0.35.87",
        "user_agent": _AGENT,
        "note": "",
    }
    missing = RECORD_BYTES - 1 - len(json.dumps(record))
    record["note"] = ("bench record " * RECORD_BYTES)[:missing]
    return np.frombuffer(json.dumps(record).encode() + b"\n", np.uint8)


def _iso(at: NDArray[np.datetime64]) -> Bytes:
    day = at.astype("datetime64[D]")
    second = (at - day).astype(np.int64)
    distinct, inverse = np.unique(day, return_inverse=True)
    text = np.frombuffer(b"2000-01-01T00:00:00", np.uint8)
    filled = np.tile(text, (len(at), 1))
    dates = np.array([str(d).encode() for d in distinct], "S10").view(np.uint8).reshape(-1, 10)
    filled[:, :10] = dates[inverse]
    for place, part in ((11, second // 3600), (14, second // 60 % 60), (17, second % 60)):
        filled[:, place : place + 2] = _digits(part, 2)
    return filled


def _digits(numbers: NDArray[np.int64], width: int) -> Bytes:
    powers = 10 ** np.arange(width - 1, -1, -1)
    return (numbers[:, None] // powers % 10 + ord("0")).astype(np.uint8)


def _hexadecimal(rng: np.random.Generator, n: int) -> Bytes:
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)
    nibbles = np.frombuffer(rng.bytes(16 * n), np.uint8).reshape(n, 16)
    return np.stack([digits[nibbles >> 4], digits[nibbles & 15]], axis=2).reshape(n, 32)
