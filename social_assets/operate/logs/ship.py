"""The shipper as a process: ships what is there, waits, and ends when it is asked to.

Belongs here: when it works, and what it does when it cannot. What a batch is belongs to
`pipeline.logs`.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

from resources.settings.home import Home
from social_assets.operate.logs.running_warehouse import RunningWarehouse, failures
from social_assets.pipeline.logs.ship import LogStore, Shipped, Shipper, only_shipper
from social_assets.warehouse.logs.lines import LogTable

_log = logging.getLogger(__name__)

_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0


def ship_once(home: Home) -> Shipped:
    """Ship every line that is there. Raises ShipperBusyError if another shipper works."""
    with only_shipper(home):
        return Shipper(home, LogTable(RunningWarehouse(home))).ship()


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
    ship_until(home, LogTable(RunningWarehouse(home)), ended)


def ship_until(home: Home, store: LogStore, ended: threading.Event) -> None:
    """Ship each second until it is to end, and once more then. What fails is tried again, after
    ever longer pauses; it is said once.
    """
    told, pause = "", _PAUSE_SECONDS
    while True:
        is_last = ended.is_set()
        try:
            # Taken for each pass: a deletion of a person keeps the shipper away meanwhile.
            with only_shipper(home, _LONGEST_PAUSE_SECONDS):
                shipped = Shipper(home, store).ship()
        except failures() as error:
            reason = f"{type(error).__name__}: {error}"
            if reason != told:
                _log.warning("log lines wait to be shipped: %s", reason)
            told, pause = reason, min(2 * pause, _LONGEST_PAUSE_SECONDS)
        else:
            if told:
                _log.info("log lines are shipped again: %s", shipped.lines)
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
