"""`social-assets rebuild-warehouse`: what to do after a loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from social_assets.cli.home_use import reads_home
from social_assets.cli.printing.terminal import FORM, mute, out, print_json, progress

if TYPE_CHECKING:
    from resources.settings.home import Home


@click.command("rebuild-warehouse", short_help="Make ClickHouse anew from the lake.")
@FORM
@reads_home
def rebuild_warehouse(home: Home, form: str) -> None:
    """Make all of ClickHouse anew from the lake: `cleaned`, facts, dimensions, rollups, persons.

    A day is replaced whole in each table. Loads and drains wait until it is done. Killed, the same
    command goes on with the days that are left. Recommendations and features are not in the lake:
    their next run makes them.
    """
    from social_assets.operate.disaster.rebuild import rebuild

    done = rebuild(home, progress if form == "table" else mute)
    if form == "json":
        print_json(done.as_json())
    else:
        out.print(str(done), markup=False)
