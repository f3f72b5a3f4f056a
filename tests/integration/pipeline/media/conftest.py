"""A home whose posts name pictures of the platform server, with real stores."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.contracts.registry import contract
from social_assets.demo.platforms.process import platform_server
from social_assets.ingest.media.addresses import AllowedHost
from social_assets.lake.media.media_files import MediaFiles
from social_assets.pipeline.media.expire_media import ExpiredMedia, expire_media
from social_assets.pipeline.media.fetch_media import FetchedMedia, MediaFetch
from social_assets.pipeline.media.picture_states import CURRENT_STATES
from social_assets.pipeline.stores import Stores
from social_assets.pipeline.stream_work import ingest_files
from social_assets.transform.duckdb_engine import DuckDBEngine
from tests.lake_of_tests import lake_in

FETCH_SECONDS = 40.0
"""More than a picture takes on a busy machine. The one that is too slow has a limit of its own."""


@dataclass
class MediaHome:
    """A home beside a platform server. `at` is the time that its runs believe."""

    url: str
    home: Home
    stores: Stores
    files: MediaFiles
    at: datetime = field(default_factory=lambda: datetime.now(UTC) - timedelta(days=60))
    _landed: int = 0

    def posts(self, *addresses: str, platform: str = "Facebook", **said: Any) -> None:
        """Land one post for each address: `/...` is one of the server, anything else as it is."""
        lines = []
        for number, address in enumerate(addresses):
            whole = f"{self.url}{address}" if address.startswith("/") else address
            record = {
                "id": f"{self._landed}_{number}",
                "created_time": f"{self.at - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
                "message": f"text {self._landed}",
                "full_picture": whole,
                **said,
            }
            collected_at = f"{self.at:%Y-%m-%dT%H:%M:%SZ}"
            lines.append(
                json.dumps(
                    {
                        "platform": platform,
                        "account_id": "7",
                        "collected_at": collected_at,
                        "record": record,
                    }
                )
            )
        self._landed += 1
        file = self.home.path / f"posts_{self._landed}.ndjson"
        file.parent.mkdir(exist_ok=True)
        file.write_text("\n".join(lines))
        ingest_files(self.stores.of(contract("posts_collected")), [file])

    def work(self, seconds: float = FETCH_SECONDS) -> MediaFetch:
        parts = urlsplit(self.url)
        allowed = AllowedHost("127.0.0.1", parts.port or 0)
        return MediaFetch(
            self.home,
            self.stores,
            self.files,
            allowed,
            now=lambda: self.at,
            fetch_seconds=seconds,
        )

    def fetch(self, seconds: float = FETCH_SECONDS) -> FetchedMedia:
        return self.work(seconds).run(180.0)

    def expire(self) -> ExpiredMedia:
        return expire_media(self.home, self.stores, self.files, self.at)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.stores.clickhouse.client() as client:
            return [tuple(row) for row in client.query(query).result_rows]

    def states(self) -> dict[str, tuple[str, str | None]]:
        """What is true of each picture now: its state, and the newest reason."""
        found = self.rows(
            "SELECT picture, argMax(state, happened_at), argMax(tuple(reason), happened_at).1\n"
            "FROM cleaned.post_media GROUP BY picture"
        )
        return {picture: (state, reason) for picture, state, reason in found}

    def kept(self) -> list[tuple[Any, ...]]:
        """Post, hash and size of every picture that has a file, by the rows."""
        return self.rows(
            f"SELECT post_id, sha256, size_bytes FROM ({CURRENT_STATES})\n"
            "WHERE state IN ('fetched', 'archived') ORDER BY post_id"
        )

    def stored(self, area: str = "kept") -> dict[str, int]:
        """Hash and size of the files of an area."""
        return {each.sha256: each.size_bytes for each in self.files.list() if each.area == area}

    def asked(self) -> dict[str, int]:
        """How often the server was asked for each picture."""
        found: dict[str, int] = httpx.get(f"{self.url}/__pictures").raise_for_status().json()
        return found


@pytest.fixture
def media(clickhouse: ClickHouseResource, tmp_path: Path) -> Iterator[MediaHome]:
    with clickhouse.client() as client:
        client.command("DROP DATABASE IF EXISTS cleaned SYNC")
    stores = Stores(
        lake_in(tmp_path),
        DuckDBEngine(tmp_path / "spill"),
        clickhouse,
    )
    home = Home(tmp_path / "home")
    with platform_server(seed=3, accounts=1) as url:
        yield MediaHome(url, home, stores, MediaFiles.at(str(tmp_path / "media")))
