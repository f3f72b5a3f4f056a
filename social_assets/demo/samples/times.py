"""Times of day as files write them: `17:26:59`, and now and then `9:00 PM` or `21:00`."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from social_assets.demo.samples.flaws import FieldFlaw
from social_assets.demo.samples.world import Ints

SPELT_TIMES = FieldFlaw(
    "time_spelling",
    "watch_time",
    0.25,
    ("9:00 PM", "8:30 PM", "2:00 PM", "7:45 AM", "12:10 AM", "21:00", "07:30", "9:05 pm"),
    rejects=False,
)
"""Rounded times, as people type them, in place of recorded ones."""


def time_of_day(second: Ints) -> Any:
    """`HH:MM:SS` of seconds since midnight."""
    return pc.cast(pa.array(second, pa.int64()).cast(pa.int32()).cast(pa.time32("s")), pa.string())
