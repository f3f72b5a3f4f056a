"""Log lines of some processes over some days, as the shipper inserts them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from social_assets.operate.logs.running_warehouse import RunningWarehouse
from social_assets.warehouse.logs.line import LogLine
from social_assets.warehouse.logs.lines import LogTable

_PROCESSES = ("run", "daemon", "serve", "webhooks", "load")
_LINES = 600


def write_logs(warehouse: RunningWarehouse) -> None:
    """Fill `ops.logs`: each fifth line is an error."""
    newest = datetime.now(UTC) - timedelta(hours=1)
    lines = [
        LogLine(
            time=newest - timedelta(minutes=15 * number),
            level=("INFO", "INFO", "WARNING", "INFO", "ERROR")[number % 5],
            process=_PROCESSES[number % 7 % 5],
            pid=100,
            logger="social_assets",
            text=f"the warehouse does not answer: attempt {number}\nTraceback of {number}",
            run_id="8a261842-1712-4c9c-9905-5c962a4a7422",
            source="browser",
            position=number,
        )
        for number in range(_LINES)
    ]
    table = LogTable(warehouse)
    table.prepare()
    table.insert(lines, "browser")
