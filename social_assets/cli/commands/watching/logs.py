"""`social-assets logs` and `ship-logs`: log lines of all processes.

Belongs here: reading the options and printing.
"""

from __future__ import annotations

import re
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from resources.settings.home import Home
from social_assets.cli.home_use import reads_home
from social_assets.cli.printing.row_table import visible
from social_assets.cli.printing.terminal import echo, print_json

if TYPE_CHECKING:
    from social_assets.warehouse.logs.line import LogFilter, LogLine

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LEVELS = ("debug", "info", "warning", "error", "critical")
_FOLLOW_SECONDS = 1.0
_OVERLAP = timedelta(seconds=10)
"""Lines of another process may come this much later than their time."""
_RUN_CHARACTERS = 8
_STANDARD_INPUT = 0


class SinceParameter(click.ParamType[datetime]):
    """A duration before now, as 90s, 30m, 1h or 2d; or a time."""

    name = "1h|TIME"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Refuse a text that is neither."""
        if isinstance(value, datetime):
            return value
        text = str(value)
        try:
            if duration := re.fullmatch(r"(\d{1,9})([smhd])", text):
                seconds = int(duration[1]) * _UNITS[duration[2]]
                return datetime.now(UTC) - timedelta(seconds=seconds)
            at = datetime.fromisoformat(text)
        except (ValueError, OverflowError):
            self.fail(f"{text!r} is no duration (90s, 30m, 1h, 2d) and no time", param, ctx)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at


@click.command(short_help="Show log lines of all processes.")
@click.option("--run", default="", metavar="ID", help="Only of this run; its first characters do.")
@click.option("--grep", "text", default="", metavar="TEXT", help="Only with TEXT, of any case.")
@click.option("--process", default="", help="Only of this process: daemon, run, serve, load ...")
@click.option("--level", type=click.Choice(_LEVELS, case_sensitive=False), help="And above.")
@click.option(
    "--since", type=SinceParameter(), default="24h", show_default=True, help="90s, 30m, 1h, 2d."
)
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=200, show_default=True, help="The newest."
)
@click.option("--follow", "-f", "is_followed", is_flag=True, help="Go on until Ctrl-C.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="json: one JSON document on standard output.",
)
@reads_home
def logs(
    home: Home,
    *,
    run: str,
    text: str,
    process: str,
    level: str | None,
    since: datetime,
    limit: int,
    is_followed: bool,
    form: str,
) -> None:
    """Show log lines of all processes, from ClickHouse and from files that are not shipped yet.

    If ClickHouse does not answer, only the files are read; a line on standard error says so.
    """
    from resources.clickhouse.resource import ClickHouseResource
    from social_assets.operate.logs.read import find_lines
    from social_assets.warehouse.logs.line import LogFilter

    if is_followed and form == "json":
        raise click.UsageError("--follow prints lines; leave out --format json")
    wanted = LogFilter(since, run, text, process, (level or "").upper(), limit)
    found = find_lines(home, ClickHouseResource(), wanted)
    if found.away:
        click.echo(
            "ClickHouse does not answer, so these are only the lines of files that are not shipped"
            f" yet: {found.away}",
            err=True,
        )
    if form == "json":
        print_json([_document(line) for line in found.lines])
        return
    for line in found.lines:
        echo(_text(line))
    if not found.lines and not is_followed:
        click.echo("no log line is found; use a longer --since, or fewer options", err=True)
    sys.stdout.flush()
    if is_followed:
        _follow(home, wanted, list(found.lines))


def _follow(home: Home, wanted: LogFilter, printed: list[LogLine]) -> None:
    """Print lines as they come."""
    from social_assets.operate.logs.read import find_lines
    from social_assets.operate.logs.running_warehouse import RunningWarehouse

    seen = {(each.source, each.position): each.time for each in printed}
    while True:
        time.sleep(_FOLLOW_SECONDS)
        begin = datetime.now(UTC) - _OVERLAP
        found = find_lines(home, RunningWarehouse(home), replace(wanted, since=begin))
        for line in found.lines:
            if (line.source, line.position) not in seen:
                echo(_text(line))
        sys.stdout.flush()
        known = {(each.source, each.position): each.time for each in found.lines}
        seen = {key: at for key, at in seen.items() if at >= begin} | known


def _text(line: LogLine) -> str:
    at = line.time.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    run = f" run={line.run_id[:_RUN_CHARACTERS]}" if line.run_id else ""
    stream = f" stream={line.stream}" if line.stream else ""
    fields = "".join(f" {name}={value}" for name, value in line.fields.items())
    first, *more = line.text.split("\n")
    head = f"{at} {line.level or '-':<7} {line.process}: {first}{run}{stream}{fields}"
    return "\n".join([visible(head), *(f"    {visible(each)}" for each in more)])


def _document(line: LogLine) -> dict[str, object]:
    return {
        "time": line.time.isoformat(timespec="milliseconds"),
        "level": line.level,
        "process": line.process,
        "pid": line.pid,
        "logger": line.logger,
        "text": line.text,
        "run_id": line.run_id,
        "stream": line.stream,
        "fields": dict(line.fields),
        "host": line.host,
    }


@click.command("ship-logs", short_help="Ship log files to ClickHouse.")
@click.option("--once", "is_once", is_flag=True, help="Ship what is there, and end.")
@click.option("--ends-with-input", "ends_with_input", is_flag=True, hidden=True)
@reads_home
def ship_logs(home: Home, *, is_once: bool, ends_with_input: bool) -> None:
    """Ship the log lines of all processes from files to the table ops.logs, until Ctrl-C.

    `social-assets dev` does so by itself. Killed, or without ClickHouse, it goes on later: the
    files keep the lines.
    """
    from social_assets.operate.logs.ship import ship_for_ever, ship_once

    if is_once:
        shipped = ship_once(home)
        echo(f"shipped {shipped.lines:,} lines")
        if shipped.removed:
            click.echo(
                f"{shipped.removed.files} files with {shipped.removed.bytes:,} bytes were removed"
                " before they were shipped",
                err=True,
            )
        return

    def announce() -> None:
        if not ends_with_input:
            echo(f"ships the logs of {home.path}; Ctrl-C ends it")

    ship_for_ever(home, announce, _STANDARD_INPUT if ends_with_input else None)
