"""`social-assets failed-files`: files that could not be loaded.

Belongs here: parsing and printing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from social_assets.cli.home_use import reads_home
from social_assets.cli.printing.terminal import FORM, out, print_rows
from social_assets.quality.counted import counted

if TYPE_CHECKING:
    from resources.settings.home import Home


@click.command("failed-files", short_help="List files that could not be loaded.")
@click.argument("stream")
@click.argument("names", nargs=-1)
@click.option("--acknowledge", is_flag=True, help="Somebody has dealt with these files, or all.")
@FORM
@reads_home
def failed_files(
    home: Home, stream: str, names: tuple[str, ...], *, acknowledge: bool, form: str
) -> None:
    """List files of STREAM that could not be loaded, and why: all of them, or those with NAMES.

    The alert of a file ends when a file of its name is loaded, or with --acknowledge.
    """
    from resources.clickhouse.resource import ClickHouseResource
    from social_assets.contracts.registry import contract
    from social_assets.defs.stores import StoresResource
    from social_assets.pipeline.files.failed_files import unresolved_failures
    from social_assets.pipeline.files.landing_folder import Landing

    stores = StoresResource(clickhouse=ClickHouseResource()).stores().of(contract(stream))
    unresolved = unresolved_failures(stores, Landing(home.landing, stream))
    chosen = [each for each in unresolved if not names or each.name in names]
    if unknown := sorted(set(names) - {each.name for each in chosen}):
        raise click.UsageError(f"no failed file of {stream} has the name {', '.join(unknown)}")
    if acknowledge:
        stores.failed_files.acknowledge(chosen)
    print_rows(("file", "reason"), [(each.name, each.reason) for each in chosen], form)
    if form == "table":
        how = "acknowledged" if acknowledge else "could not be loaded"
        out.print(f"{counted(len(chosen), 'file')} {how}")
