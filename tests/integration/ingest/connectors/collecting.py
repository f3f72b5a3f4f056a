"""Collects chains in a test: its clock moves only when it is told to, or when code waits."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from resources.settings.home import Home
from social_assets.control.accounts import Account
from social_assets.control.collection.credentials import PlatformCredentials, Tokens
from social_assets.ingest.connectors.chain import ChainEnd, ChainStart, RecordPage
from social_assets.ingest.connectors.client import ConnectorClient
from social_assets.ingest.connectors.registry import connector_of
from tests.integration.ingest.connectors.replay_server import Replayed

NOW = datetime(2026, 11, 20, 16, tzinfo=UTC)


@dataclass
class MovedClock:
    """A clock; sleeping moves it."""

    now: datetime = NOW
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


@dataclass
class Collecting:
    """Clients of one home, and chains collected by them."""

    home: Home
    engine: Engine
    clock: MovedClock
    credentials: PlatformCredentials
    server: Replayed
    clients: dict[str, ConnectorClient] = field(default_factory=dict)

    def client(self, platform: str, patience: float = 5.0) -> ConnectorClient:
        if platform not in self.clients:
            self.clients[platform] = ConnectorClient(
                connector_of(platform),
                self.home,
                self.engine,
                clock=self.clock,
                sleep=self.clock.sleep,
                patience=patience,
            )
        return self.clients[platform]

    def close(self) -> None:
        for client in self.clients.values():
            client.close()

    def add(self, platform: str, account: str | None = None, **tokens: str) -> None:
        given = {"access_token": f"token-of-{account}", **tokens}
        self.credentials.add(
            platform,
            Tokens(**given, obtained_at=self.clock() - timedelta(days=2)),  # type: ignore[arg-type]
            account,
        )

    def chain(
        self, platform: str, account: str, endpoint: str, **start: object
    ) -> tuple[list[RecordPage], ChainEnd]:
        begin = ChainStart(Account(platform, account), endpoint, **start)  # type: ignore[arg-type]
        *pages, end = self.client(platform).pages(begin)
        assert isinstance(end, ChainEnd)
        assert all(isinstance(page, RecordPage) for page in pages)
        return [page for page in pages if isinstance(page, RecordPage)], end


def raw(pages: list[RecordPage]) -> list[bytes]:
    return [record for page in pages for record in page.records]
