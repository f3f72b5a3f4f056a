"""(a) Drain: from events in Kafka and a sensor that is turned on, to complete rollups.

Belongs here: the measurement. CPU seconds are counted until the rollup is complete. The drain
itself records the seconds of each step; their sum is more than the wall time, because steps run in
parallel.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict

from dagster import AssetKey, DagsterInstance

from bench.figures import Figure
from bench.live_platform import PARTITIONS, STREAM, TOPIC, LivePlatform, await_that
from bench.processes import GIB, ProcessWatch
from bench.streaming.kafka_fill import fill
from social_assets.defs.ingestion.jobs.drain_job import STEP_SECONDS
from social_assets.demo.samples.bench_records import Spread

EVENTS_A_SECOND = 115_741
"""Ten billion a day."""
MEMORY_GIB = 3.0

_POLL_SECONDS = 0.5
_LONGEST_SECONDS = 3600.0


def measure(platform: LivePlatform, records: int, spread: Spread) -> list[Figure]:
    """Fill the empty topic and drain it."""
    part = f"drain {spread.value}"
    platform.turn_sensor_off()
    platform.await_end_of_drains()
    before = {drain.run_id for drain in platform.drains()}
    fill(platform.kafka, TOPIC, records, partitions=PARTITIONS, spread=spread)
    if {drain.run_id for drain in platform.drains()} != before:
        raise RuntimeError("a tick that had begun asked for a drain while the topic was filled")
    with ProcessWatch(platform.home) as watch:
        started = time.perf_counter()
        platform.turn_sensor_on()
        await_that(
            lambda: platform.visible() >= records, _LONGEST_SECONDS, "the rollup", _POLL_SECONDS
        )
        seconds = time.perf_counter() - started
    platform.await_end_of_drains()
    counted = platform.visible()
    if counted != records:
        raise RuntimeError(f"{records:,} events in Kafka are {counted:,} in the rollup")
    usage = watch.usage()
    together, anonymous = (peak / GIB for peak in watch.peaks(["run", "ClickHouse"]))
    return [
        Figure(part, "events", records, "events"),
        Figure(part, "sensor on to rollups complete", seconds, "s"),
        Figure(part, "rate", records / seconds, "events/s", EVENTS_A_SECOND, is_upper=False),
        Figure(part, "peak memory, run and ClickHouse together", together, "GiB", MEMORY_GIB),
        Figure(part, "the same, anonymous", anonymous, "GiB"),
        *(
            figure
            for role, used in usage.items()
            for figure in (
                Figure(part, f"CPU, {role}", used.cpu_seconds, "s"),
                Figure(part, f"peak memory, {role}", used.peak_rss / GIB, "GiB"),
                Figure(part, f"peak memory, {role}, anonymous", used.peak_anonymous / GIB, "GiB"),
            )
            if figure.value
        ),
        Figure(part, "CPU, all", sum(used.cpu_seconds for used in usage.values()), "s"),
        *(Figure(part, f"step {step}", s, "s") for step, s in step_seconds().items()),
    ]


def step_seconds() -> dict[str, float]:
    """The seconds of each step, as the drains recorded them with the materializations of raw."""
    found: dict[str, dict[str, float]] = {}
    with DagsterInstance.get() as instance:
        events = instance.fetch_materializations(AssetKey(["raw", STREAM]), limit=5000)
    for record in events.records:
        assert record.asset_materialization is not None
        metadata = record.asset_materialization.metadata
        if STEP_SECONDS in metadata:
            seconds = metadata[STEP_SECONDS].value
            assert isinstance(seconds, dict)
            # Days that changed together are recorded with the same offsets and seconds.
            found[json.dumps(metadata["offsets"].value)] = seconds
    total: defaultdict[str, float] = defaultdict(float)
    for steps in found.values():
        for step, took in steps.items():
            total[step] += took
    return dict(total)
