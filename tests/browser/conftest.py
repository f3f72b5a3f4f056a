"""A server of dashboards over recent records of all streams, and pages of Debian's Chromium."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from resources.machine.ports import free_port
from resources.settings.home import Home
from resources.web.token import login_url
from social_assets.operate.logs.running_warehouse import RunningWarehouse
from social_assets.serving.app import create_app
from social_assets.serving.settings import ServeSettings
from social_assets.warehouse.text_tables import COLUMNS, SENTIMENT
from tests.browser.searched_texts import write_texts
from tests.browser.shown_recommendations import write_recommendations
from tests.browser.unusual_behaviour import write_unusual_behaviour
from tests.browser.written_experiments import write_experiments
from tests.browser.written_forecasts import write_forecasts_of_platforms
from tests.browser.written_logs import write_logs
from tests.integration.metrics.records import DAYS, of_all_streams, texts
from tests.integration.warehouse.conftest import Row, WarehouseUnderTest, served

_COLLECTED = ("profiles", "posts_collected", "post_counters")

CHROMIUM = "/usr/bin/chromium"
TOKEN = "t" * 40
REFRESH_SECONDS = 1.5


@dataclass(frozen=True)
class Site:
    """The dashboards, and the warehouse behind them."""

    address: str
    warehouse: WarehouseUnderTest

    def url(self, path: str) -> str:
        return f"{self.address}{path}"


@dataclass
class Watched:
    """A page, and what its console said."""

    page: Page
    site: Site
    faults: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Open a page, and wait until every tile has its figures."""
        self.page.goto(self.site.url(path))
        self.wait_for_load()
        return self.page

    def wait_for_load(self) -> None:
        self.page.wait_for_selector("body[data-loads]")
        self.page.wait_for_selector("body:not(:has(.tile[aria-busy='true']))")

    def hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(message.text)


@pytest.fixture(scope="session")
def site(deployed_home: Callable[[str], Home]) -> Iterator[Site]:
    with served(deployed_home("browser")) as warehouse:
        for stream, rows in _until_yesterday(of_all_streams()).items():
            warehouse.stream(stream, *rows)
        # No view feeds features.
        today = datetime.now(UTC).date()
        warehouse.backfill(today - timedelta(days=DAYS), today, "sessions", "sessions_daily")
        scored = _until_yesterday({"text": texts(600)})["text"]
        names = [column.name for column in COLUMNS]
        rows = [{**row, "event_date": row["event_time"].date()} for row in scored]
        warehouse.client.insert(SENTIMENT, [[row[name] for name in names] for row in rows], names)
        write_texts(warehouse.client)
        write_experiments(warehouse.client)
        write_forecasts_of_platforms(warehouse.client)
        write_recommendations(warehouse)
        write_unusual_behaviour(warehouse)
        write_logs(RunningWarehouse(warehouse.home))
        with running(warehouse.home) as address:
            yield Site(address, warehouse)


class running:  # noqa: N801 - a context manager
    """A server of a home, in a thread."""

    def __init__(self, home: Home) -> None:
        port = free_port()
        settings = ServeSettings(
            home, TOKEN, port=port, cache_seconds=1, refresh_seconds=REFRESH_SECONDS
        )
        config = uvicorn.Config(create_app(settings), port=port, log_level="warning")
        self._server, self._address = uvicorn.Server(config), f"http://127.0.0.1:{port}"
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        for _ in range(600):
            if self._server.started:
                return self._address
            time.sleep(0.05)
        raise TimeoutError("the server of dashboards has not started")

    def __exit__(self, *error: object) -> None:
        self._server.should_exit = True
        self._thread.join(30)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no {CHROMIUM}: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture
def watched(site: Site, chromium: Browser) -> Iterator[Watched]:
    """A page signed in; nothing in its console may be an error or a violation of the policy."""
    context = chromium.new_context(accept_downloads=True)
    found = Watched(context.new_page(), site)
    found.page.goto(login_url(site.address, TOKEN))
    found.page.wait_for_selector("h1:has-text('Dashboards')")
    found.page.on("console", found.hear)
    found.page.on("pageerror", lambda error: found.faults.append(str(error)))
    yield found
    context.close()
    assert found.faults == []


def _until_yesterday(streams: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """The records, the newest of them of yesterday; all times of a record move together.

    The collected streams tell of the same posts, so they move by the same days.
    """
    moved = {}
    for stream, rows in streams.items():
        together = _COLLECTED if stream in _COLLECTED else (stream,)
        newest = max(row["event_time"] for each in together for row in streams[each])
        days = timedelta(days=(datetime.now(UTC) - newest).days - 1)
        moved[stream] = [
            {name: at + days if isinstance(at, datetime) else at for name, at in row.items()}
            for row in rows
        ]
    return moved
