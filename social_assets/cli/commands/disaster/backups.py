"""`social-assets backup`, `backups` and `restore`: before a loss, and after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from social_assets.cli.home_use import knows_home, needs_no_home, reads_home
from social_assets.cli.printing.terminal import (
    FORM,
    mute,
    out,
    print_json,
    print_rows,
    progress,
)

if TYPE_CHECKING:
    from resources.settings.home import Home

_FROM = click.option(
    "--from", "source", required=True, metavar="PLACE", help="A folder or s3:// URL of backups."
)


@click.command(short_help="Back up the home, while it is in use.")
@click.option(
    "--to", "target", required=True, metavar="PLACE", help="A folder or s3:// URL for backups."
)
@click.option(
    "--keep", type=click.IntRange(min=1), help="Remove older backups of this home; default: none."
)
@click.option(
    "--include-secret-key",
    "with_secret_key",
    is_flag=True,
    help="Also control/secret.key: whoever reads the backup then reads stored credentials.",
)
@FORM
@reads_home
def backup(home: Home, target: str, keep: int | None, form: str, *, with_secret_key: bool) -> None:
    """Copy lake, operational store, Dagster's records, artifacts and landing to a folder or bucket.

    Only what is not there yet is copied. Loads and drains go on meanwhile. ClickHouse is not
    copied, since the lake has all that it is made of.
    """
    from social_assets.operate.disaster.backup import make_backup

    say = progress if form == "table" else mute
    done = make_backup(home, target, say, keep=keep, with_secret_key=with_secret_key)
    if form == "json":
        print_json(done.as_json())
    else:
        out.print(str(done), markup=False)


@click.command(short_help="List the backups of a folder or bucket.")
@_FROM
@FORM
@needs_no_home
def backups(source: str, form: str) -> None:
    """List the backups of a folder or bucket, oldest first."""
    from social_assets.operate.disaster.list_backups import COLUMNS, list_backups

    print_rows(COLUMNS, [each.row for each in list_backups(source)], form)


@click.command(short_help="Restore a backup into an empty home.")
@_FROM
@click.option("--backup", "id_", metavar="ID", help="Which one; default: the latest.")
@FORM
@knows_home
def restore(home: Home, source: str, id_: str | None, form: str) -> None:
    """Restore a backup into an empty home, and verify every file.

    Afterwards, `social-assets rebuild-warehouse` makes ClickHouse anew. Killed, the same command
    goes on.
    """
    from social_assets.operate.disaster.restore import restore as restore_home

    done = restore_home(home, source, progress if form == "table" else mute, id_=id_)
    if form == "json":
        print_json(done.as_json())
    else:
        out.print(str(done), markup=False)
