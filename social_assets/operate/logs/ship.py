"""The shipper as a process: ships what is there, waits, and ends when it is asked to.

Belongs here: when it works, and what it does when it cannot. What a batch is belongs to
`pipeline.logs`.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType

from resources.log_files.otlp import OtlpEndpoint, OtlpSettingError, otlp_endpoint
from resources.settings.home import Home
from social_assets.operate.logs.running_warehouse import RunningWarehouse, failures
from social_assets.pipeline.logs.collector import (
    REQUEST_BYTES,
    CollectorAwayError,
    LogCollector,
)
from social_assets.pipeline.logs.ship import (
    BATCH_BYTES,
    Destination,
    LogStore,
    Shipped,
    Shipper,
    only_shipper,
)
from social_assets.warehouse.logs.lines import LogTable

_log = logging.getLogger(__name__)

_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0


@dataclass(frozen=True)
class LogExport:
    """The export of a home's log lines to a collector."""

    home: Home
    endpoint: OtlpEndpoint

    def run_until(self, ended: threading.Event) -> None:
        """As `ship_until`, to the collector."""
        import httpx

        with httpx.Client() as client:
            try:
                ship_until(
                    self.home,
                    LogCollector(self.endpoint, client),
                    ended,
                    destination=Destination.COLLECTOR,
                    others=(Destination.WAREHOUSE,),
                    batch_bytes=REQUEST_BYTES,
                )
            except ValueError as error:
                # Its positions are damaged. ClickHouse gets its lines all the same.
                _log.error("log lines are not exported: %s", error)


def log_export(home: Home) -> LogExport | None:
    """The export that the environment asks for; one that it asks for wrongly is told."""
    try:
        endpoint = otlp_endpoint()
    except OtlpSettingError as error:
        _log.error("log lines are not exported: %s", error)
        return None
    return None if endpoint is None else LogExport(home, endpoint)


def others_of(export: LogExport | None) -> Sequence[Destination]:
    """The destinations besides ClickHouse."""
    return () if export is None else (Destination.COLLECTOR,)


def ship_once(home: Home) -> Shipped:
    """Ship every line that is there. Raises ShipperBusyError if another shipper works."""
    export = log_export(home)
    ended = threading.Event()
    ended.set()
    with only_shipper(home):
        shipped = Shipper(home, LogTable(RunningWarehouse(home)), others=others_of(export)).ship()
    if export is not None:
        export.run_until(ended)
    return shipped


def ship_for_ever(home: Home, announce: Callable[[], None], ends_with: int | None) -> None:
    """Ship until SIGINT, SIGTERM, or the end of the pipe `ends_with`.

    Another shipper is waited for. Raises ValueError if the positions are damaged.
    """
    ended = threading.Event()

    def ask(_: int, __: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask)
    if ends_with is not None:
        threading.Thread(target=_wait_for_end, args=(ends_with, ended), daemon=True).start()
    announce()
    export = log_export(home)
    if export is None:
        ship_until(home, LogTable(RunningWarehouse(home)), ended)
        return
    # Beside it: a collector that does not answer delays nothing else.
    exporter = threading.Thread(target=export.run_until, args=(ended,), name="export logs")
    exporter.start()
    try:
        ship_until(home, LogTable(RunningWarehouse(home)), ended, others=others_of(export))
    finally:
        ended.set()
        exporter.join()


def ship_until(
    home: Home,
    store: LogStore,
    ended: threading.Event,
    *,
    destination: Destination = Destination.WAREHOUSE,
    others: Sequence[Destination] = (),
    batch_bytes: int = BATCH_BYTES,
) -> None:
    """Ship each second until it is to end, and once more then. What fails is tried again, after
    ever longer pauses, or when the destination says; it is said once.
    """
    told, pause = "", _PAUSE_SECONDS
    shipper = Shipper(home, store, batch_bytes, destination, others)
    while True:
        is_last = ended.is_set()
        try:
            # Taken for each pass: a deletion of a person keeps the shipper away meanwhile.
            with only_shipper(home, _LONGEST_PAUSE_SECONDS, destination):
                shipped = shipper.ship()
        except failures() as error:
            reason = f"{type(error).__name__}: {error}"
            if reason != told:
                _log.warning("log lines wait to be %s: %s", destination.value, reason)
            told, pause = reason, min(2 * pause, _LONGEST_PAUSE_SECONDS)
            ended.wait(error.wait if isinstance(error, CollectorAwayError) else 0.0)
        else:
            if told:
                _log.info("log lines are %s again: %s", destination.value, shipped.lines)
            if shipped.removed:
                _log.warning(
                    "%s log files with %s bytes were removed before they were shipped",
                    *(shipped.removed.files, shipped.removed.bytes),
                )
            told, pause = "", _PAUSE_SECONDS
        if is_last:
            return
        ended.wait(pause)


def _wait_for_end(pipe: int, ended: threading.Event) -> None:
    while os.read(pipe, 1):
        pass
    ended.set()
