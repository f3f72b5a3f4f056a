"""Measures Dagster's part of a backfill: a year of empty days in one run, with every check.

    python -m bench.orchestration.backfill [--days 365] [--profile]

The days are empty, so that the cost of a day is that of events, metadata and checks. The home is
temporary; its warehouse is deployed before the measurement starts.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import time
from datetime import date, timedelta

from bench.live_platform import temporary_home
from social_assets.operate.runs.start import rebuild_days

LAST = date(2026, 6, 30)
TARGET_SECONDS = 0.05


def main() -> None:
    """Run one day, then all days, and print the cost of each day and asset."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    with temporary_home("backfill-bench-") as home:

        def run(days: int) -> tuple[float, float, int]:
            started, cpu = time.perf_counter(), time.process_time()
            report = rebuild_days(home, LAST - timedelta(days=days - 1), LAST, (), lambda _: None)
            seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
            return seconds, cpu, report.materialized

        run(1)
        one, one_cpu, assets = run(1)
        profile = cProfile.Profile() if options.profile else None
        if profile:
            profile.enable()
        all_days, all_cpu, events = run(options.days)
        if profile:
            profile.disable()
            pstats.Stats(profile).sort_stats("cumulative").print_stats(60)
    more = (options.days - 1) * assets
    each, each_cpu = (all_days - one) / more, (all_cpu - one_cpu) / more
    print(
        f"1 day {one:.1f} s; {options.days} days {all_days:.1f} s, {assets} assets, "
        f"{events} materializations: {each * 1000:.1f} ms an asset and day, "
        f"{each_cpu * 1000:.1f} CPU ms "
        f"({all_days / options.days / assets * 1000:.1f} ms with the run itself); "
        f"target {TARGET_SECONDS * 1000:.0f} ms"
    )


if __name__ == "__main__":
    main()
