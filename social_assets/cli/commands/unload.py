"""`social-assets unload`: removes a loaded file from a stream.

Belongs here: parsing and printing. `operate.unload` finds the batch.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from social_assets.cli.home_use import reads_home
from social_assets.cli.printing.terminal import FORM, mute, out, print_rows, progress

if TYPE_CHECKING:
    from resources.settings.home import Home


@click.command(short_help="Take a loaded file out again.")
@click.argument("stream")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--batch", "batch_id", help="Id of the batch, as `load` names it.")
@FORM
@reads_home
def unload(home: Home, stream: str, file: Path | None, batch_id: str | None, form: str) -> None:
    """Remove all rows that FILE has brought into STREAM, from raw to the rollups.

    FILE is known by its content, else by its name. The days of its records are rebuilt without it:
    duplicates that it displaced come forward. It can be loaded again. Killed, the same command, or
    the next load or backfill of the stream, completes it. Records of a topic can't be unloaded.
    """
    from social_assets.operate.unload import unload as take_out

    if (file is None) == (batch_id is None):
        raise click.UsageError("name either a FILE or --batch ID")
    found = take_out(home, stream, file, batch_id, progress if form == "table" else mute)
    rows = [
        (each.file, each.records, len(each.days), min(each.days), max(each.days), each.batch_id)
        for each in found
    ]
    print_rows(("file", "records", "days", "first day", "last day", "batch"), rows, form)
    if form == "table":
        for each in found:
            if each.was_done_before:
                when = f"{each.unloaded_at:%Y-%m-%d %H:%M:%S}"
                out.print(f"{each.file} was unloaded before, on {when} UTC: nothing to do")
