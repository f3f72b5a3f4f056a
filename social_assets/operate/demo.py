"""The demonstration: seeded sample files through the whole graph, and a summary of what came out.

Here belongs the order of it. The files are `samples`', the runs are `runs`', what is shown is
`summary`'s. Those are imported as they are needed: importing Dagster, pandera and Ibis takes
seconds, in which the warehouse is already being made.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from time import perf_counter

from rich.console import Console

from resources.home import Home
from social_assets.operate.failures import RunFailedError


@dataclass(frozen=True)
class Days:
    """The days that the samples cover: as many as asked for, ending yesterday."""

    first: date
    last: date


def run_demo(home: Home, console: Console, *, events: int, days: int, seed: int) -> None:
    """Generate, build, recommend, summarize. Raises RunFailedError if a run fails."""
    started = perf_counter()
    last = datetime.now(UTC).date() - timedelta(days=1)
    span = Days(last - timedelta(days=days - 1), last)

    def progress(line: str) -> None:
        console.print(f"  [dim]{perf_counter() - started:6.1f} s[/]  {line}")

    with _deployment(home):
        from social_assets.samples import generate

        console.print(f"[bold]1. {events:,} events over {days} days, as files[/]")
        files = generate(home.landing, events=events, days=days, end=last, seed=seed)
        progress(f"{len(files)} files, {sum(f.records for f in files):,} records in {home.landing}")

        from social_assets.operate.runs import rebuild_days, recommend

        console.print("[bold]2. raw, cleaned, star, rollups and their checks[/]")
        built = rebuild_days(home, span.first, span.last, (), progress)
    console.print("[bold]3. recommenders[/]")
    trained = recommend(home, progress)

    from social_assets.operate.summary import show_summary

    progress("reading back what came out")
    show_summary(home, console, (built, trained))
    console.print(f"\n[bold]Done in {perf_counter() - started:.0f} s.[/]")


@contextmanager
def _deployment(home: Home) -> Iterator[None]:
    """Make the warehouse's tables in a process of its own, for which the second core is free.

    Whoever needs them first waits for it; its failure is raised at the end of the block.
    """
    command = [sys.executable, "-m", "social_assets", "--home", str(home.path), "deploy"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        yield
        _, errors = process.communicate()
    if process.returncode:
        raise RunFailedError(f"the warehouse could not be deployed: {errors.decode().strip()}")
