"""The demonstration: sample files through the whole graph, a collection, a summary of the result.

Belongs here: the order, and what runs at the same time. The files belong to `samples`, the platform
server to `platforms`, the runs to `operate.runs`, the display to `operate.summary`. These are
imported when needed: importing Dagster, pandera and Ibis takes seconds, during which the warehouse
is already created.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from threading import Thread
from time import perf_counter
from typing import TypeVar

from rich.console import Console
from rich.markup import escape

from resources.settings.home import Home
from resources.settings.variables import FIRST_DATE
from social_assets.operate.runs.failures import RunFailedError

T = TypeVar("T")

_LINES_OF_A_FAILURE = 5
_COLLECT_SECONDS = 60.0
_OF_TEXTS = ("text/sentiment", "text/documents")


# Less than the share for which a check fails (`Contract.fail_above`): of a small day's twenty posts
# a single wrong one is more than that.
_MOST_REJECTED = 0.04


def run_demo(home: Home, console: Console, *, events: int, days: int, seed: int) -> None:
    """Generate, build, recommend, summarize. Raises RunFailedError if a run fails."""
    started = perf_counter()
    last = datetime.now(UTC).date() - timedelta(days=1)
    first = last - timedelta(days=days - 1)

    def progress(line: str) -> None:
        console.print(f"  [dim]{perf_counter() - started:6.1f} s[/]  {escape(line)}")

    # Both threads need these. Their modules import each other in a circle, and two threads that
    # enter it at different places end in an import deadlock.
    import pandera.ibis  # noqa: F401
    from dagster import DagsterInstance  # noqa: F401

    # The first step that needs the tables waits for them.
    deployed = _beside(lambda: _deploy(home))
    # Read with the definitions: the lake is empty, so it does not give the first day.
    os.environ[FIRST_DATE] = min(first.isoformat(), os.environ.get(FIRST_DATE) or first.isoformat())
    from social_assets.demo.samples import generate

    console.print(f"[bold]1. {events:,} events over {days} days, as files[/]")
    files = generate(
        home.landing,
        events=events,
        days=days,
        end=last,
        seed=seed,
        most_rejected=_MOST_REJECTED,
    )
    progress(f"{len(files)} files, {sum(f.records for f in files):,} records in {home.landing}")

    from social_assets.defs.maintenance.rebuild_jobs import RECOMMEND
    from social_assets.operate.runs.start import (
        newest_report,
        rebuild_days,
        run_forecasts,
        run_text_training,
        verify_partitions,
    )

    training: list[Future[None]] = []

    def train() -> None:
        console.print("[bold]3. recommenders, which need the star alone, beside the rollups[/]")
        training.append(_beside(lambda: _train(home, progress)))

    console.print("[bold]2. raw, cleaned, star, rollups and their checks[/]")
    built = rebuild_days(home, first, datetime.now(UTC).date(), (), progress, then={"star": train})
    for each in (deployed, *training):
        each.result()

    # These follow new labels, and the night. Done now, so that the UI shows results of all checks.
    run_text_training(home, progress)
    run_forecasts(home, progress)
    verified = verify_partitions(home, progress)

    console.print("[bold]4. collection: five platforms, from a server beside it[/]")
    _collect(home, progress, seed)
    # What sensors of `dev` do by themselves. So what was collected has sentiment, and is found.
    rebuild_days(home, first, datetime.now(UTC).date(), _OF_TEXTS, progress)

    from social_assets.operate.summary import show_summary

    progress("reading back what came out")
    show_summary(home, console, (built, newest_report(home, RECOMMEND), verified))
    console.print(f"\n[bold]Done in {perf_counter() - started:.0f} s.[/]")


def _collect(home: Home, progress: Callable[[str], None], seed: int) -> None:
    """Collect an account of each platform from the platform server, which runs meanwhile."""
    from social_assets.control.collection.schedule import CollectionPlan
    from social_assets.demo.platforms.process import platform_server
    from social_assets.demo.served_accounts import (
        asked_at,
        has_others,
        release_served,
        track_served,
    )
    from social_assets.operate.collect import collect_now
    from social_assets.operate.runs.start import fetch_media

    with platform_server(seed=seed, accounts=1) as url, asked_at(url):
        if has_others(url, home):
            progress("not done: this home tracks accounts of its own, which are left alone")
            return
        try:
            track_served(url, home, CollectionPlan())
            found = collect_now(home, None, (), progress, seconds=_COLLECT_SECONDS)
            fetch_media(home, progress)
        finally:
            # Their tokens must never be sent to the platforms themselves.
            release_served(url, home, "its platform server ran during the demonstration")
    for each in found:
        progress(f"{each.platform}: {each.records:,} records from {each.pages:,} pages")


def _deploy(home: Home) -> None:
    from resources.clickhouse.resource import ClickHouseResource
    from social_assets.warehouse.dbt.deployment import deploy_warehouse

    deploy_warehouse(ClickHouseResource().endpoint(), home)


def _train(home: Home, progress: Callable[[str], None]) -> None:
    """Train in another process: two runs in one process mix up their output."""
    command = [sys.executable, "-m", "social_assets", "--home", str(home.path), "recsys", "train"]
    told: deque[str] = deque(maxlen=_LINES_OF_A_FAILURE)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout or ():
            told.append(line.strip())
            progress(line.strip())
    if process.returncode:
        raise RunFailedError("the recommenders could not be trained: " + "\n".join(told))


def _beside(work: Callable[[], T]) -> Future[T]:
    """Do some work in a thread that does not block Ctrl-C; its error is raised where the result is
    read.
    """
    future: Future[T] = Future()

    def do() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised by `result`
            future.set_exception(error)

    Thread(target=do, daemon=True).start()
    return future
