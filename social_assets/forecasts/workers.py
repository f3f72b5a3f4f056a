"""Forecasts of many series, on the processors that there are.

Belongs here: dividing the work. Processes are started anew and not forked: the caller may hold
threads and connections. They end with the caller, also when it is killed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context

from resources.machine.processes import end_with_parent
from social_assets.forecasts.forecast import SeriesForecast, forecast_series
from social_assets.forecasts.series import Rhythm, Values

_AT_ONCE = 200
"""Series of one task. Fewer are forecast in the caller's process: a process takes seconds to
start."""


def forecast_all(
    series: Mapping[str, Values], rhythm: Rhythm, processes: int | None = None
) -> dict[str, SeriesForecast]:
    """The forecast of each series. It does not depend on the number of processes."""
    tasks = list(_tasks(series))
    most = len(os.sched_getaffinity(0)) if processes is None else processes
    if len(tasks) <= 1 or most <= 1:
        return {name: found for task in tasks for name, found in _forecast(task, rhythm).items()}
    with ProcessPoolExecutor(
        min(most, len(tasks)), get_context("spawn"), end_with_parent, (os.getpid(),)
    ) as pool:
        parts = pool.map(_forecast, tasks, [rhythm] * len(tasks))
        return {name: found for part in parts for name, found in part.items()}


def _forecast(series: Mapping[str, Values], rhythm: Rhythm) -> dict[str, SeriesForecast]:
    return {name: forecast_series(values, rhythm) for name, values in series.items()}


def _tasks(series: Mapping[str, Values]) -> Iterator[dict[str, Values]]:
    items = iter(series.items())
    while task := dict(islice(items, _AT_ONCE)):
        yield task
