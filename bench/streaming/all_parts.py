"""Measures streaming: drain, freshness, idle, and PySpark as the peer.

    python -m bench.streaming.all_parts [--records N] [--only PART ...]

Starts a broker, a ClickHouse and a Dagster in `<home>/bench-stream`. Downloads (jars of Kafka and
Spark, PySpark) stay in that folder; everything else is deleted. Prints each figure with its target,
and writes them as JSON. Exits with 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figure, write_json
from bench.live_platform import PARTITIONS, TOPIC, broker, live_platform
from bench.streaming import drain, freshness, idle, peer
from bench.streaming.kafka_fill import fill
from resources.kafka.resource import KafkaResource
from resources.settings.home import Home
from social_assets.demo.samples.bench_records import Spread

PARTS = ("drain", "even", "peer", "idle", "freshness")


def main() -> int:
    """Measure, print and write the figures."""
    options = _options()
    folder = Home.from_environment().path / "bench-stream"
    figures: list[Figure] = []
    for figure in _measured(options, folder):
        print(figure.line(), flush=True)
        figures.append(figure)
    if options.json:
        write_json(options.json, figures)
    return 0 if all(figure.is_met for figure in figures) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART")
    parser.add_argument("--records", type=int, default=10_000_000, help="of drain, even and peer")
    parser.add_argument("--uniform", action="store_true", help="drain and peer: the worst case")
    parser.add_argument("--seconds", type=float, default=180, help="of freshness")
    parser.add_argument("--change-after", type=float, default=75, help="of the first drain run")
    parser.add_argument("--quiet-rounds", type=int, default=3, help="first events after quiet")
    parser.add_argument("--idle-seconds", type=float, default=60)
    parser.add_argument("--peer-memory", default="2g", help="Spark's heap")
    parser.add_argument("--peer-watermark", default="10 minutes", help="how long Spark keeps keys")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    return parser.parse_args()


def _measured(options: argparse.Namespace, folder: Path) -> Iterator[Figure]:
    spread = Spread.EVEN if options.uniform else Spread.LIFELIKE
    load = ", ".join(f"{average:.1f}" for average in os.getloadavg())
    print(f"{os.cpu_count()} cores, load averages before: {load}")
    if {"drain", "peer"} & set(options.only):
        with broker(folder) as home:
            if "drain" in options.only:
                with live_platform(home) as platform:
                    yield from drain.measure(platform, options.records, spread)
            else:
                fill(KafkaResource(), TOPIC, options.records, partitions=PARTITIONS, spread=spread)
            if "peer" in options.only:
                yield from peer.measure(
                    home,
                    folder / "peer",
                    options.records,
                    options.peer_memory,
                    options.peer_watermark,
                )
    if "even" in options.only:
        with broker(folder) as home, live_platform(home) as platform:
            yield from drain.measure(platform, options.records, Spread.EVEN)
    if {"idle", "freshness"} & set(options.only):
        with broker(folder) as home, live_platform(home) as platform:
            if "idle" in options.only:
                yield from idle.measure(platform, options.idle_seconds)
            if "freshness" in options.only:
                yield from freshness.measure(
                    platform, options.seconds, options.change_after, options.quiet_rounds
                )


if __name__ == "__main__":
    sys.exit(main())
