"""`social-assets media`: what pictures there are, and why some are not. Only parses and prints."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from social_assets.cli.home_use import reads_home
from social_assets.cli.printing.terminal import FORM, mute, out, print_json, print_rows, progress

if TYPE_CHECKING:
    from resources.settings.home import Home

_TABLE = ("stream", "platform", "state", "reason", "pictures", "bytes")


@click.command(short_help="Count pictures of posts, and why some failed.")
@click.option("--fetch", is_flag=True, help="Fetch first what is wanted now.")
@FORM
@reads_home
def media(home: Home, *, fetch: bool, form: str) -> None:
    """Count the pictures of posts by what is true of them, and the files that they have."""
    from resources.clickhouse.resource import ClickHouseResource
    from resources.settings.media_root import media_root
    from social_assets.quality.counted import counted
    from social_assets.quality.media import media_counts, stored_media

    if fetch:
        from social_assets.operate.runs.start import fetch_media

        fetch_media(home, progress if form == "table" else mute)
    with ClickHouseResource().client("media") as client:
        counts = media_counts(client, datetime.fromtimestamp(0, UTC))
        stored = stored_media(client)
    if form != "table":
        print_json(
            {
                "pictures": [each.as_json() for each in counts],
                "files": stored.files,
                "bytes": stored.size_bytes,
            }
        )
        return
    rows = [
        (each.stream, each.platform, each.state, each.reason, each.pictures, each.size_bytes)
        for each in counts
    ]
    print_rows(_TABLE, rows, form)
    size = f"{stored.size_bytes:,} bytes"
    out.print(f"{counted(stored.files, 'file')} with {size} in {media_root(home)}")
