"""`social-assets load`: loads files, folders, globs or standard input into a stream.

Belongs here: parsing and printing. `operate.load.inputs` finds the files, `operate.load.report`
counts the result, `operate.runs.start` runs the load.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from resources.settings.home import Home
from social_assets.cli.errors import WRONG
from social_assets.cli.home_use import announce_installation, knows_home
from social_assets.cli.printing.terminal import (
    FORM,
    DateParameter,
    mute,
    out,
    print_json,
    print_rows,
    progress,
)

if TYPE_CHECKING:
    from social_assets.contracts.contract import FileFormat
    from social_assets.operate.load.report import FileCounts
    from social_assets.quality.load_result import Rejected

_SHOWN_REJECTS = 20


@click.command(short_help="Load files into a stream.")
@click.argument("stream")
@click.argument("files", nargs=-1, required=True)
@click.option(
    "--date",
    "on",
    type=DateParameter(),
    help="Date of records that carry none; default the date in the file's name, or today.",
)
@click.option(
    "--input-format",
    type=click.Choice(["csv", "ndjson", "parquet"]),
    help="Format of standard input, where it can't be told from how it begins.",
)
@click.option(
    "--replace", is_flag=True, help="Unload earlier loads of the same content or file name."
)
@FORM
@knows_home
def load(
    home: Home,
    stream: str,
    files: tuple[str, ...],
    *,
    on: date | None,
    input_format: FileFormat | None,
    replace: bool,
    form: str,
) -> None:
    """Load FILES into STREAM, through to the rollups. The same file again changes nothing.

    FILES are files, folders (all files below them of the stream's formats), quoted globs such as
    'data/**/*.csv', or - for standard input.

    Exit code 1 if a file could not be loaded; the others are. Exit code 2 if nothing was accepted,
    or if a larger share was rejected than the contract's fail_above.
    """
    from social_assets.contracts.registry import contract
    from social_assets.operate.load.inputs import STANDARD_INPUT, resolve, spool
    from social_assets.pipeline.files.landing_folder import LandingDateError, check_landing_date

    declared = contract(stream)
    if on is not None:
        try:
            check_landing_date(on)
        except LandingDateError as error:
            raise click.UsageError(str(error)) from error
    resolved = resolve(declared, files)
    announce_installation(home)
    spooled: Path | None = None
    if Path(STANDARD_INPUT) in resolved:
        spooled = spool(home, declared, sys.stdin.buffer, input_format)
        resolved = [spooled if path == Path(STANDARD_INPUT) else path for path in resolved]
    try:
        why_failed = _load(home, stream, resolved, on, form, replace=replace)
    except BaseException:
        if spooled is not None:
            click.echo(f"standard input is kept in {spooled}: load that file again", err=True)
        raise
    if spooled is not None:
        spooled.unlink()
    if why_failed:
        click.echo("Error: " + "\n".join(why_failed), err=True)
        sys.exit(WRONG)


def _load(
    home: Home,
    stream: str,
    files: Sequence[Path],
    on: date | None,
    form: str,
    *,
    replace: bool = False,
) -> list[str]:
    """Load, and print the counts; returns why the load counts as failed, if it does."""
    from resources.clickhouse.resource import ClickHouseResource
    from social_assets.contracts.registry import contract
    from social_assets.defs.stores import StoresResource
    from social_assets.ingest.records import shown_path
    from social_assets.operate.load.progress import LoadProgress, shown
    from social_assets.operate.load.report import batches_of, file_counts
    from social_assets.operate.runs.start import load_files
    from social_assets.quality.load_result import LoadedRecords, failure_of_load, rejected_by_rule

    stores = StoresResource(clickhouse=ClickHouseResource()).stores().of(contract(stream))
    batches = batches_of(stores, files, replace=replace)
    names = {batch: shown_path(Path(path.name)) for path, batch in batches.by_path.items()}
    is_table = form == "table"
    watched = LoadProgress(
        say=progress if is_table else mute,
        is_live=is_table and sys.stdout.isatty(),
        names=names,
    )
    try:
        with shown(watched):
            told = progress if is_table else mute
            load_files(home, stream, files, on, told, replace=replace)
    finally:
        counts = file_counts(stores, files, batches, watched.errors, watched.notes)
        rejected = rejected_by_rule(stores, batches.new())
        if is_table:
            _print_counts(counts)
            _print_rejected(stream, rejected)
        else:
            print_json(
                {
                    "stream": stream,
                    "files": [asdict(each) for each in counts],
                    "rejected": [asdict(each) for each in rejected],
                }
            )
    loaded = LoadedRecords.of(stores, batches.new())
    return failure_of_load(stores.contract, loaded, rejected)


def _print_counts(counts: Sequence[FileCounts]) -> None:
    names = ("file", "records", "accepted", "duplicates", "rejected", "loaded before")
    rows: list[tuple[object, ...]] = [
        (
            f"{Path(each.file).name}{' FAILED' if each.error else ''}",
            each.records,
            each.accepted,
            each.duplicates,
            each.rejected,
            each.loaded_before,
        )
        for each in counts
    ]
    if len(counts) > 1:
        totals = zip(*(row[1:] for row in rows), strict=True)
        rows.append((f"{len(counts)} files", *(sum(map(int, column)) for column in totals)))
    out.print()
    print_rows(names, rows, "table")
    for each in counts:
        if each.notes:
            out.print(f"{Path(each.file).name}: {'; '.join(each.notes)}")
    before = [each for each in counts if each.before is not None]
    for each in before[:_SHOWN_REJECTS]:
        out.print(f"{Path(each.file).name}: {each.before}")
    if len(before) > _SHOWN_REJECTS:
        out.print(f"and {len(before) - _SHOWN_REJECTS} more files that were loaded before")
    if before:
        out.print("Wrong --date? Load with --replace, or take a file out: social-assets unload")


def _print_rejected(stream: str, rejected: Sequence[Rejected]) -> None:
    from social_assets.quality.load_result import shown_by

    if not rejected:
        return
    out.print("\nRejected, by rule and day:")
    rows = [(r.event_date, r.rule, r.records, r.example) for r in rejected[:_SHOWN_REJECTS]]
    print_rows(("day", "rule", "records", "example value"), rows, "table")
    if len(rejected) > _SHOWN_REJECTS:
        out.print(f"and {len(rejected) - _SHOWN_REJECTS} more rules and days")
    out.print(shown_by(stream))
