"""Measures forecasts: seconds and memory for many series, errors, coverage of the intervals.

    python -m bench.understand.forecasts [--series N]

Each series has 182 days with a season of a week, growth, and counts of Poisson with a level from 1
to 10,000; one in ten begins late, one in ten is seldom above zero. Beside the backtest, the next 28
days are drawn from the same truth, and compared with the forecast.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from bench.figures import Figure
from social_assets.forecasts.candidates import LEVELS, NAIVE
from social_assets.forecasts.forecast import SeriesForecast
from social_assets.forecasts.series import DAILY, Values
from social_assets.forecasts.workers import forecast_all

SERIES, SECONDS, GIB = 10_000, 600.0, 2.0
_DAYS = 182


@dataclass(frozen=True)
class Planted:
    """Series and the days that follow them."""

    known: Mapping[str, Values]
    later: Mapping[str, Values]


def main() -> None:
    """Measure, and print a line a figure. Exits with 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=SERIES)
    options = parser.parse_args()
    planted = _planted(options.series)
    begun = time.monotonic()
    found = forecast_all(planted.known, DAILY)
    figures = list(_figures(planted, found, time.monotonic() - begun))
    print("\n".join(figure.line() for figure in figures))
    if not all(figure.is_met for figure in figures):
        raise SystemExit(1)


def _planted(number: int) -> Planted:
    random = np.random.default_rng(7)
    days = np.arange(_DAYS + DAILY.horizon)
    known, later = {}, {}
    for n in range(number):
        level, depth, growth = 10 ** random.uniform(0, 4), random.uniform(0, 0.9), random.normal()
        season = 1 + depth * np.sin(2 * np.pi * (days + random.integers(7)) / 7)
        expected = level * season * np.exp(0.003 * growth * days)
        if n % 10 == 1:
            expected *= random.random(len(days)) < 0.1
        values = random.poisson(expected).astype(float)
        begin = int(random.integers(1, _DAYS - 1)) if n % 10 == 0 else 0
        known[f"s{n}"], later[f"s{n}"] = values[begin:_DAYS], values[_DAYS:]
    return Planted(known, later)


def _figures(
    planted: Planted, found: Mapping[str, SeriesForecast], seconds: float
) -> Iterator[Figure]:
    number = len(found)
    target = SECONDS * number / SERIES
    yield Figure(f"{number:,} series", "to forecast", seconds, "s", target)
    yield Figure("processors", "used", len(os.sched_getaffinity(0)), "")
    spent = sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )
    yield Figure("processors", "seconds of them, with imports", spent, "s")
    own, workers = (
        resource.getrusage(who).ru_maxrss / 2**20
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    # Of the workers, the system tells the largest one only.
    most = own + workers * len(os.sched_getaffinity(0))
    yield Figure("all processes", "peak memory, at most", most, "GiB", GIB)
    tests = [each.backtest for each in found.values() if each.backtest]
    beats = sum(each.model != NAIVE for each in found.values() if each.backtest) / len(tests)
    yield Figure("champions", "part that beats seasonal naive", beats, "")
    ratio = np.median([t.error / t.naive_error for t in tests if t.naive_error > 0])
    yield Figure("backtest", "median error by that of seasonal naive", float(ratio), "")
    for level in LEVELS:
        measured = np.mean([test.coverage[level] for test in tests])
        yield Figure(f"{level} %", "coverage measured by the backtest", float(measured), "")
        held = np.mean(
            [each.band.covers(planted.later[name], level).mean() for name, each in found.items()]
        )
        yield Figure(f"{level} %", "coverage of the 28 days after", float(held), "")


if __name__ == "__main__":
    main()
