"""The live demonstration: generated records flow through the whole platform, shown in the terminal.

Belongs here: the order: broker, UI with its sensors, warehouse, traffic; then the end of all of
them. It needs only what pip installs: the broker is that of librdkafka, in this process.
"""

from __future__ import annotations

import os
import signal
import time
import webbrowser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Thread

from dagster import DagsterInstance, DagsterRun, RunsFilter
from rich.console import Console
from rich.live import Live

from resources.clickhouse.resource import URL_VARIABLE, ClickHouseResource
from resources.embedded_clickhouse.lifecycle import running_state
from resources.embedded_clickhouse.lifecycle import stop as stop_clickhouse
from resources.kafka.in_process_broker import MockBroker, mock_broker
from resources.kafka.resource import KafkaResource
from resources.settings.home import Home
from sensors.file_arrival import UNDERWAY
from social_assets.contracts.contract import TOPIC_PREFIX
from social_assets.contracts.registry import contracts
from social_assets.defs.ingestion.jobs.drain_job import drain_job_name
from social_assets.defs.stores import StoresResource
from social_assets.demo.live.figures import LAKE_SECONDS, LiveFigures, ShownFigures
from social_assets.demo.live.freshness import WINDOW_SECONDS, Delays, FreshnessRecorder
from social_assets.demo.live.traffic import LiveTraffic
from social_assets.demo.live.view import KEEPS_NOTHING, Moment, line, page
from social_assets.operate.runs.failures import RunFailedError
from social_assets.operate.runs.instance import open_instance, use_home
from social_assets.operate.ui.dev import has_screen
from social_assets.operate.ui.process import UiProcess
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import held
from social_assets.warehouse.dbt.deployment import deploy_warehouse

MOST_UNREAD = 12_000
"""How many unread records of a topic may be in the broker: it drops more than 5 MB of a partition,
read or not, and all records of an account are in one partition."""

_STALLED_SECONDS = 120.0
_STALLED_SECONDS_INTERRUPTED = 10.0
_RUNS_END_SECONDS = 20.0
_LINE_SECONDS = 5.0
_MEASURED = "engagement_events"


@dataclass(frozen=True)
class LiveOptions:
    """Records a second of all streams together; duration in seconds, None until Ctrl-C; the UI's
    options.
    """

    rate: float
    seconds: float | None
    port: int
    is_opened: bool


def run_demo_live(home: Home, console: Console, options: LiveOptions) -> None:
    """Show live data until the time is up or Ctrl-C; ends everything that it started.

    Raises RunFailedError if a process ended by itself, or if sent records did not arrive in time.
    """
    started = time.monotonic()

    def say(what: str) -> None:
        console.print(f"  {time.monotonic() - started:6.1f} s  {what}", style="dim")

    use_home(home)
    with ExitStack() as ended_at_last:
        ended_at_last.enter_context(_ended_like_ctrl_c())
        ended_at_last.enter_context(_clickhouse_ended(home))
        broker = ended_at_last.enter_context(mock_broker())
        _use(broker)
        console.print(KEEPS_NOTHING, style="yellow")
        say(f"broker on {broker.servers}; state in {home.path}")
        ended_at_last.callback(_report_cancelled, home)
        ui = ended_at_last.enter_context(UiProcess(home, options.port))
        say("making the warehouse's tables, the first time in this home")
        deploy_warehouse(ClickHouseResource().endpoint(), home)
        # Pending work of an earlier run must not count as this one's.
        with held(_streams()):
            pass
        say(f"starting the Dagster UI, its log is {ui.log}")
        ui.await_answer()
        console.print(f"open {ui.login_url}", soft_wrap=True)
        if options.is_opened and has_screen():
            webbrowser.open(ui.login_page())
        _show(home, console, options, ui)


def _show(home: Home, console: Console, options: LiveOptions, ui: UiProcess) -> None:
    freshness = FreshnessRecorder()
    figures = LiveFigures(freshness)
    traffic = LiveTraffic(
        KafkaResource().client_settings(),
        options.rate,
        room=lambda stream: MOST_UNREAD - figures.unread(stream),
        created=lambda stream, n: (
            freshness.created(n, time.monotonic()) if stream == _MEASURED else None
        ),
    )
    with figures, traffic:
        demo = _Demo(console, options, ui, freshness, figures, traffic)
        is_interrupted = False
        try:
            demo.watch(options.seconds)
        except KeyboardInterrupt:
            is_interrupted = True
        console.print("Letting through what was sent, then ending everything.")
        traffic.stop()
        demo.drain(_STALLED_SECONDS_INTERRUPTED if is_interrupted else _STALLED_SECONDS)
    demo.summarize()
    _end_runs(home)
    ui.end()
    if not is_interrupted:
        demo.check_arrived()


@dataclass
class _Demo:
    """The running demonstration, watched until it ends."""

    console: Console
    options: LiveOptions
    ui: UiProcess
    freshness: FreshnessRecorder
    figures: LiveFigures
    traffic: LiveTraffic

    def __post_init__(self) -> None:
        """Start the clock."""
        self._started = time.monotonic()

    def watch(self, seconds: float | None) -> None:
        """Show the figures until the time is up."""
        with self._page() as live:
            said = 0.0
            while seconds is None or self._elapsed() < seconds:
                time.sleep(1.0)
                self._check()
                if live is not None:
                    live.update(page(self._moment()), refresh=True)
                elif self._elapsed() - said >= _LINE_SECONDS:
                    said = self._elapsed()
                    self.console.print(line(self._moment()))

    def drain(self, stalled_seconds: float) -> None:
        """Wait for all sent records, as long as some arrive within so many seconds."""
        # Until then, the figures may be older than the last sent record.
        complete_at = time.monotonic() + 2 * LAKE_SECONDS
        least, moved_at = self.missing(), time.monotonic()
        while time.monotonic() < moved_at + stalled_seconds:
            self._check()
            missing = self.missing()
            if missing == 0 and time.monotonic() > complete_at:
                return
            if missing < least:
                least, moved_at = missing, time.monotonic()
            time.sleep(0.2)

    def missing(self) -> int:
        """Sent records that are not in the lake, or events that are not in the rollup."""
        now = self.figures.now
        return max(now.lag, self.traffic.accepted[_MEASURED] - now.counted, self._unseen(now))

    def summarize(self) -> None:
        """Print how many records arrived, and how fast."""
        now, sent = self.figures.now, sum(self.traffic.sent.values())
        self.console.print(f"\nSent {sent:,} records in {self._elapsed():.0f} s.")
        for name, stream in now.streams.items():
            self.console.print(
                f"  {name:24} sent {self.traffic.sent[name]:>9,}   in the lake {stream.read:>9,}   "
                f"accepted {stream.accepted:>9,}   quarantined {stream.read - stream.accepted:>7,}"
            )
        self.console.print(
            f"rollups.engagement_hourly counts {now.counted:,} of the "
            f"{self.traffic.accepted[_MEASURED]:,} events that had to be accepted."
        )
        delays = self.freshness.delays()
        if delays is not None:
            self.console.print(f"From creation to the rollup: {_seconds(delays)}.")

    def check_arrived(self) -> None:
        """Raise RunFailedError unless all sent records are in lake and rollup, once."""
        now = self.figures.now
        if self.missing() or now.counted != self.traffic.accepted[_MEASURED]:
            raise RunFailedError(
                f"of {sum(self.traffic.sent.values()):,} records {now.lag:,} are not in the lake, "
                f"and the hourly rollup counts {now.counted:,} events where "
                f"{self.traffic.accepted[_MEASURED]:,} were to be accepted; see {self.ui.log}"
            )

    def _unseen(self, now: ShownFigures) -> int:
        """Records that the broker received after its offsets were last read."""
        return sum(self.traffic.sent.values()) - sum(s.end for s in now.streams.values())

    def _elapsed(self) -> float:
        return time.monotonic() - self._started

    def _check(self) -> None:
        self.ui.check()
        self.traffic.check()
        self.figures.check()

    def _moment(self) -> Moment:
        now = time.monotonic()
        return Moment(
            elapsed=self._elapsed(),
            ui=self.ui.url,
            rate=self.options.rate,
            sent=dict(self.traffic.sent),
            held_back=self.traffic.held_back,
            figures=self.figures.now,
            behind=self.freshness.behind(now),
            delays=self.freshness.delays(now - WINDOW_SECONDS),
        )

    @contextmanager
    def _page(self) -> Iterator[Live | None]:
        """A page to draw on; None if the output is not a terminal."""
        if not self.console.is_terminal:
            yield None
            return
        # This console wraps lines at the terminal's width; lines for pipes are not wrapped.
        wrapping = Console(file=self.console.file, highlight=False)
        with Live(page(self._moment()), console=wrapping, auto_refresh=False) as live:
            yield live


def _use(broker: MockBroker) -> None:
    """Make this process and its children use the broker, with topics that are new to the lake.

    The lake knows the offsets of topics by name: the offsets of the last demonstration, with the
    same names, would count as read.
    """
    os.environ.update(broker.environment())
    os.environ[TOPIC_PREFIX] = f"live-{datetime.now(UTC):%Y%m%dT%H%M%S}-"


def _streams() -> list[StreamStores]:
    stores = StoresResource(clickhouse=ClickHouseResource()).stores()
    return [stores.of(contract) for contract in contracts()]


def _end_runs(home: Home) -> None:
    """End the drains regularly: each one ends if another process waits for its stream's lock."""

    def wait_for(stream: StreamStores) -> None:
        with stream.lock():
            pass

    # Nothing waits for these threads: a drain that does not end is ended with the UI.
    for stream in _streams():
        Thread(target=wait_for, args=(stream,), name="wanted-lock", daemon=True).start()
    deadline = time.monotonic() + _RUNS_END_SECONDS
    with open_instance(home) as instance:
        while time.monotonic() < deadline and any(_drains_underway(instance)):
            time.sleep(0.2)


def _report_cancelled(home: Home) -> None:
    """Report runs whose processes ended with the demonstration, which Dagster would count as
    running.
    """
    with open_instance(home) as instance:
        for run in _drains_underway(instance):
            instance.report_run_canceled(run, "the live demonstration has ended")


def _drains_underway(instance: DagsterInstance) -> Iterator[DagsterRun]:
    for contract in contracts():
        yield from instance.get_runs(
            RunsFilter(job_name=drain_job_name(contract), statuses=UNDERWAY)
        )


@contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    """End everything in the same order after a closed terminal or a plain `kill`; also if the
    parent process had Ctrl-C ignored, as shells do for `&`.
    """
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {each: signal.signal(each, signal.default_int_handler) for each in signals}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def _clickhouse_ended(home: Home) -> Iterator[None]:
    """Stop the home's embedded ClickHouse at the end, unless it ran before."""
    is_ours = not os.environ.get(URL_VARIABLE) and running_state(home) is None
    try:
        yield
    finally:
        if is_ours:
            stop_clickhouse(home)


def _seconds(delays: Delays) -> str:
    return f"p50 {delays.p50:.2f} s, p95 {delays.p95:.2f} s, p99 {delays.p99:.2f} s"
