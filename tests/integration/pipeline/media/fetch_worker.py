"""Fetches pictures in a process that ends itself, as `kill -9` does, at a named moment.

`python -m tests.integration.pipeline.media.fetch_worker FOLDER URL MOMENT AT`: the moment is `file`
(the first file is stored, no row has landed), `spool` (the rows are on disk, and not in raw), `raw`
(they are in raw alone) or `never`.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.ingest.media.addresses import AllowedHost
from social_assets.lake.media.media_files import MediaFiles
from social_assets.pipeline.media.fetch_media import MediaFetch
from social_assets.pipeline.pages import land_pages
from social_assets.pipeline.pages.spool import PageSpool
from social_assets.pipeline.stores import Stores
from social_assets.transform.duckdb_engine import DuckDBEngine
from tests.lake_of_tests import lake_in


def killed_after(function: Any) -> Any:
    """The function, and then the end of this process."""

    def call(*args: Any, **said: Any) -> None:
        function(*args, **said)
        os.kill(os.getpid(), signal.SIGKILL)

    return call


def main() -> None:
    """Fetch what is wanted, up to the moment."""
    folder, url, moment, at = Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
    if moment == "file":
        MediaFiles.put = killed_after(MediaFiles.put)  # type: ignore[method-assign]
    elif moment == "spool":
        PageSpool.write = killed_after(PageSpool.write)  # type: ignore[method-assign]
    elif moment == "raw":
        land_pages.land = killed_after(land_pages.land)  # type: ignore[attr-defined]
    stores = Stores(
        lake_in(folder),
        DuckDBEngine(folder / "spill"),
        ClickHouseResource(),
    )
    allowed = AllowedHost("127.0.0.1", urlsplit(url).port or 0)
    files = MediaFiles.at(str(folder / "media"))
    now = datetime.fromisoformat(at)
    found = MediaFetch(Home(folder / "home"), stores, files, allowed, now=lambda: now).run(60.0)
    sys.stdout.write(f"{sum(found.states.values())}\n")


if __name__ == "__main__":
    main()
