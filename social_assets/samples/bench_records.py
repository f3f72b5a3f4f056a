"""Writes many clean engagement events for benchmarks: NDJSON of exactly 500 bytes a record.

Belongs here: speed alone. The events are valid and distinct, evenly spread in time, and mean
nothing; for dirt and tastes there is `generate`. Every varying field has a fixed width, so that
lines are rows of one array of bytes and are filled column by column.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from social_assets.contracts.engagement_events import METRIC_TYPES

RECORD_BYTES = 500
_AT_ONCE = 100_000
_HOLES = {"event_id": "#" * 32, "event_time": "@" * 19, "post_id": "$" * 6, "user_id": "%" * 6}
_ACCOUNT = 9999  # four digits, replaced by other four
_AGENT = "Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Mobile"

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class BenchBlock:
    """Some records: a row of bytes each, which ends in a line's end; when; and of which account."""

    lines: Bytes
    at: NDArray[np.datetime64]
    accounts: Bytes


def write_bench_records(
    path: Path, records: int, *, end: date, days: int = 1, seed: int = 7
) -> int:
    """Write `records` events of the `days` up to and including `end`; returns the bytes written.

    The same arguments give the same file. Memory is bounded, whatever the number. Raises
    ValueError for fewer than 1 record or day.
    """
    with path.open("wb") as file:
        for block in bench_blocks(records, end=end, days=days, seed=seed):
            file.write(block.lines.data)
    return records * RECORD_BYTES


def bench_blocks(records: int, *, end: date, days: int = 1, seed: int = 7) -> Iterator[BenchBlock]:
    """The same records, a block at a time."""
    if records < 1 or days < 1:
        raise ValueError(f"records is {records} and days is {days}: both must be 1 or more")
    templates = np.stack([_template(metric) for metric in METRIC_TYPES])
    first = np.datetime64(datetime.combine(end - timedelta(days=days - 1), time()), "s")
    for start in range(0, records, _AT_ONCE):
        number = np.arange(start, min(start + _AT_ONCE, records))
        at = first + number * (days * 86_400) // records
        rng = np.random.default_rng([seed, start])
        lines = _lines(templates, at, rng)
        account = bytes(templates[0]).index(str(_ACCOUNT).encode())
        yield BenchBlock(lines, at, lines[:, account : account + 4])


def _lines(templates: Bytes, at: NDArray[np.datetime64], rng: np.random.Generator) -> Bytes:
    n = len(at)
    lines = templates[rng.integers(0, len(templates), n)]
    places = {name: bytes(templates[0]).index(hole.encode()) for name, hole in _HOLES.items()}
    account = bytes(templates[0]).index(str(_ACCOUNT).encode())
    lines[:, places["event_id"] :][:, :32] = _hexadecimal(rng, n)
    lines[:, places["event_time"] :][:, :19] = _iso(at)
    lines[:, places["post_id"] :][:, :6] = _digits(rng.integers(0, 50_000, n), 6)
    lines[:, places["user_id"] :][:, :6] = _digits(rng.integers(100_000, 300_000, n), 6)
    lines[:, account : account + 4] = _digits(rng.integers(1_000, 3_000, n), 4)
    return lines


def _template(metric: str) -> Bytes:
    """A record of one metric, with holes, filled up to the wanted length."""
    record = {
        "event_id": _HOLES["event_id"],
        "event_time": _HOLES["event_time"] + "Z",
        "platform": "Instagram",
        "account_id": _ACCOUNT,
        "post_id": "p" + _HOLES["post_id"],
        "user_id": _HOLES["user_id"],
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
