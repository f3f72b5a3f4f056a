"""(c) Idle: CPU and memory of the platform without events, with every sensor on and a broker."""

from __future__ import annotations

import time

from bench.figures import Figure
from bench.live_platform import LivePlatform
from bench.processes import GIB, ProcessWatch

PERCENT = 10.0
COUNTED = ("daemon", "code server", "dagster dev", "run", "other", "short-lived")
"""What runs the sensors; broker, ClickHouse and webserver are reported beside it."""


def measure(platform: LivePlatform, seconds: float) -> list[Figure]:
    """Sample for some seconds in which no drain runs."""
    platform.await_end_of_drains()
    with ProcessWatch(platform.home) as watch:
        time.sleep(seconds)
    platform.await_end_of_drains()
    usage = watch.usage()
    counted = sum(usage[role].cpu_seconds for role in COUNTED if role in usage)
    return [
        Figure("idle", "CPU, what runs the sensors", counted / seconds * 100, "% core", PERCENT),
        *(
            Figure("idle", f"CPU, {role}", used.cpu_seconds / seconds * 100, "% core")
            for role, used in usage.items()
        ),
        *(
            Figure("idle", f"memory, {role}", used.peak_rss / GIB, "GiB")
            for role, used in usage.items()
            if used.peak_rss
        ),
    ]
