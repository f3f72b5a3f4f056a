"""The code location `streaming` with sensors that wait for a shorter time after a failure."""

from __future__ import annotations

from datetime import timedelta

from sensors import kafka_offsets
from social_assets.locations.streaming import defs

kafka_offsets.FIRST_BACK_OFF = timedelta(seconds=1)
kafka_offsets.LONGEST_BACK_OFF = timedelta(seconds=2)
kafka_offsets.STARTING_SECONDS = 30
kafka_offsets.LAUNCHING_SECONDS = 90

__all__ = ["defs"]
