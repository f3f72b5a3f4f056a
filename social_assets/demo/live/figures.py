"""The figures of a live demonstration, read from broker, lake and warehouse while data flows.

Belongs here: reading, at a rate that each source can bear. `live.view` displays the figures.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Self

from resources.clickhouse.resource import ClickHouseResource
from resources.kafka.resource import KafkaResource
from social_assets.contracts.registry import contract
from social_assets.defs.stores import StoresResource
from social_assets.demo.live.freshness import FreshnessRecorder
from social_assets.demo.samples.sample_set import STREAMS
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.topics.topic_offsets import starts

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

VISIBLE_SECONDS = 0.2
"""How often the rollup's count is read: freshness is not known more precisely than this."""

WAREHOUSE_SECONDS = 1.0
LAKE_SECONDS = 2.0

_LOG_COMMENT = "social-assets demo-live"


@dataclass(frozen=True)
class Rollup:
    """One line of a rollup: its name, and its count."""

    name: str
    count: int


@dataclass(frozen=True)
class StreamFigures:
    """The figures of one topic: its end, how far the lake has read it, rows in the warehouse."""

    end: int = 0
    lag: int = 0
    accepted: int = 0

    @property
    def read(self) -> int:
        """How many offsets the lake has taken."""
        return self.end - self.lag


@dataclass(frozen=True)
class ShownFigures:
    """Everything shown, at one moment."""

    streams: Mapping[str, StreamFigures] = field(default_factory=dict)
    by_metric: tuple[Rollup, ...] = ()
    by_platform: tuple[Rollup, ...] = ()
    counted: int = 0

    @property
    def lag(self) -> int:
        """Offsets of all topics that are not in the lake."""
        return sum(stream.lag for stream in self.streams.values())


class LiveFigures:
    """Keeps the figures up to date in a thread, for the time of a block."""

    def __init__(self, freshness: FreshnessRecorder) -> None:
        """`freshness` receives how many engagement events the hourly rollup counts."""
        self._freshness = freshness
        self._kafka = KafkaResource()
        stores = StoresResource(clickhouse=ClickHouseResource()).stores()
        self._streams: dict[str, StreamStores] = {
            each.name: stores.of(contract(each.name)) for each in STREAMS
        }
        # Live records are created from now on, some with times some minutes ago.
        self._first_day = (datetime.now(UTC) - timedelta(minutes=10)).date()
        self._before = 0
        self._lags: Mapping[str, StreamFigures] = {name: StreamFigures() for name in self._streams}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="live-figures", daemon=True)
        self._failure: BaseException | None = None
        self.now = ShownFigures()

    def __enter__(self) -> Self:
        """Take the current figures as the beginning, and start the thread."""
        with ClickHouseResource().client(_LOG_COMMENT) as client:
            self._before = self._counted(client)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the thread."""
        self._stop.set()
        self._thread.join()

    def check(self) -> None:
        """Raise the error of the thread, if there was one."""
        if self._failure is not None:
            raise self._failure

    def unread(self, stream: str) -> int:
        """Offsets of a stream's topic that the lake did not have at the last read."""
        return self._lags[stream].lag

    def _follow(self) -> None:
        try:
            with ClickHouseResource().client(_LOG_COMMENT) as client:
                self._loop(client)
        except Exception as error:  # noqa: BLE001 - raised by `check`, in the thread that waits
            self._failure = error

    def _loop(self, client: Client) -> None:
        warehouse_due = lake_due = 0.0
        while not self._stop.wait(VISIBLE_SECONDS):
            counted = self._counted(client) - self._before
            now = time.monotonic()
            self._freshness.visible(counted, now)
            if now >= lake_due:
                self._lags = self._read_lags()
                lake_due = now + LAKE_SECONDS
            if now >= warehouse_due:
                self.now = self._figures(client, counted)
                warehouse_due = now + WAREHOUSE_SECONDS

    def _counted(self, client: Client) -> int:
        [(events,)] = client.query(
            "SELECT sum(events) FROM rollups.engagement_hourly\nWHERE event_date >= {first:Date}",
            parameters={"first": self._first_day},
        ).result_rows
        return int(events)

    def _figures(self, client: Client, counted: int) -> ShownFigures:
        topics = {name: stream.contract.kafka_topic for name, stream in self._streams.items()}
        found = client.query(
            "\nUNION ALL ".join(
                f"SELECT '{name}', count() FROM cleaned.{name}\n"
                f"WHERE event_date >= {{first:Date}} AND origin = '{topic}'"
                for name, topic in topics.items()
            ),
            parameters={"first": self._first_day},
        ).result_rows
        accepted = {str(name): int(rows) for name, rows in found}
        streams = {
            name: StreamFigures(lag.end, lag.lag, accepted[name])
            for name, lag in self._lags.items()
        }
        by_metric = client.query(
            "SELECT metric_type, sum(events) AS n FROM rollups.engagement_hourly\n"
            "WHERE event_hour = toStartOfHour(now('UTC')) GROUP BY ALL ORDER BY n DESC"
        ).result_rows
        by_platform = client.query(
            "SELECT p.platform, sum(r.interactions) AS n\n"
            "FROM rollups.platform_daily AS r JOIN star.dim_platform AS p USING (platform_key)\n"
            "WHERE r.event_date = toDate(now('UTC')) GROUP BY ALL ORDER BY n DESC LIMIT 9"
        ).result_rows
        return ShownFigures(
            streams,
            tuple(Rollup(name, int(n)) for name, n in by_metric),
            tuple(Rollup(name, int(n)) for name, n in by_platform),
            counted,
        )

    def _read_lags(self) -> dict[str, StreamFigures]:
        found = {}
        for name, stream in self._streams.items():
            there = self._kafka.offsets(stream.contract.kafka_topic)
            if there is None:
                found[name] = StreamFigures()
                continue
            lag = starts(stream.raw, there).lag(there)
            found[name] = StreamFigures(sum(there.end.values()), lag)
        return found
