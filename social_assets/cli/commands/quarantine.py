"""`social-assets quarantine`, `replay` and `gaps`: rejected records and lost offsets.

Belongs here: parsing and printing. `operate.quarantine` lists and rebuilds.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import click

from social_assets.cli.home_use import reads_home
from social_assets.cli.printing.terminal import FORM, DateParameter, mute, out, print_rows, progress
from social_assets.quality.counted import counted

if TYPE_CHECKING:
    from resources.settings.home import Home

_COUNTED = ("rejected", "accepted", "warehouse")


@click.command("quarantine", short_help="List rejected records of a stream.")
@click.argument("stream")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True)
@FORM
@reads_home
def quarantine(home: Home, stream: str, limit: int, form: str) -> None:
    """List rejected records of STREAM, newest first: file or topic, position, every reason."""
    del home
    from social_assets.operate.quarantine import rejected_count, rejected_records

    found = rejected_records(stream, limit)
    # Only of records that were cut out of one of Kafka: their offset is not theirs alone.
    is_cut = any(d.element is not None for d in found)
    rows = [
        (
            *(d.event_date, d.origin, d.partition, d.offset),
            *((d.element,) if is_cut else ()),
            *(", ".join(d.reasons), d.record),
        )
        for d in found
    ]
    place = ("event_date", "topic or file", "partition", "offset")
    names = (*place, *(("element",) if is_cut else ()), "reasons", "record")
    print_rows(names, rows, form)
    if form == "table":
        out.print(f"{len(found)} of {rejected_count(stream)} rejected records")


@click.command(short_help="Validate rejected records again.")
@click.argument("stream")
@click.option(
    "--from", "first", type=DateParameter(), help="First day; default the first with rejected ones."
)
@click.option(
    "--to", "last", type=DateParameter(), help="Last day; default the last with rejected ones."
)
@FORM
@reads_home
def replay(home: Home, stream: str, first: date | None, last: date | None, form: str) -> None:
    """Validate the rejected records of STREAM again, after a change of its contract.

    Rebuilds the days that hold rejected records, from raw to rollups. Exits with 1 if a check of
    these days fails.
    """
    from social_assets.operate.quarantine import replay as validate_again
    from social_assets.operate.runs.failures import ChecksFailedError

    if first and last and first > last:
        raise click.UsageError(f"--from {first} is after --to {last}")
    replayed, reports = validate_again(
        home, stream, first, last, progress if form == "table" else mute
    )
    names = ("day", *(f"{n}{when}" for n in _COUNTED for when in ("", " now")))
    rows = [
        (
            r.day,
            *(n for c in _COUNTED for n in (getattr(r.before, c), getattr(r.after, c))),
        )
        for r in replayed
    ]
    print_rows(names, rows, form)
    if form == "table":
        accepted = sum(r.before.rejected - r.after.rejected for r in replayed)
        failed = sum(report.check_counts["failed"] for report in reports)
        out.print(
            f"{counted(len(replayed), 'day')} made anew, {counted(accepted, 'record')} rejected "
            f"no longer, {counted(failed, 'check')} failed"
            if replayed
            else f"{stream} has no rejected records and no quarantined batches: nothing to replay"
        )
    failed_checks = [name for report in reports for name in report.failed_checks]
    if failed_checks:
        raise ChecksFailedError(failed_checks)


@click.command(short_help="List lost ranges of a stream's topic.")
@click.argument("stream")
@click.option("--acknowledge", is_flag=True, help="Somebody has dealt with all listed ones.")
@FORM
@reads_home
def gaps(home: Home, stream: str, *, acknowledge: bool, form: str) -> None:
    """List ranges of STREAM's topic that were gone before they were read, and not dealt with."""
    del home
    from resources.clickhouse.resource import ClickHouseResource
    from social_assets.contracts.registry import contract
    from social_assets.defs.stores import StoresResource

    stores = StoresResource(clickhouse=ClickHouseResource()).stores().of(contract(stream))
    found = stores.gaps.acknowledge() if acknowledge else stores.gaps.unacknowledged()
    rows = [(g.topic, g.partition, g.start, g.end, g.reason) for g in found]
    print_rows(("topic", "partition", "start", "end", "reason"), rows, form)
    if form == "table":
        known = f"{len(found)} of {len(stores.gaps.all())} recorded gaps"
        out.print(f"{known} acknowledged now" if acknowledge else f"{known} are open")
