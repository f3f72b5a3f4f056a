"""How long a text of a live stream waits for its score, and an account's people for the alert.

    python -m bench.understand.scored_texts [--seconds 240] [--rate 5]

Runs broker, ClickHouse and `dagster dev` in a temporary home. Posts come without a pause for the
whole time, because a stream that never pauses is the hard case. Then one account publishes 30
negative posts, and a local receiver of alerts waits for `negative_sentiment`. Needs Java 17 and
Maven.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

from bench.figures import Figure
from bench.live_platform import LivePlatform, await_that, broker, live_platform
from resources.kafka.resource import KafkaResource
from social_assets.alerts.channels import URLS
from social_assets.contracts.registry import contract

SECONDS = 60.0
_TOPIC = contract("posts").kafka_topic
_POLL_SECONDS = 0.5
_LONGEST = 300.0
_BAD = "This is terrible. I hate it, the worst and most awful thing that I have ever bought."
_ACCOUNT = "account-in-trouble"


class Posts:
    """Posts that were produced: when each was, by its id."""

    def __init__(self, kafka: KafkaResource) -> None:
        """Nothing is produced yet."""
        from confluent_kafka import Producer

        self._producer = Producer({**kafka.client_settings(), "linger.ms": 5, "acks": "all"})
        self.created: dict[str, float] = {}

    def produce(self, account: str, text: str) -> None:
        """Produce one post now."""
        now, name = time.time(), f"live-{len(self.created)}"
        instant = datetime.fromtimestamp(now, UTC).isoformat()
        record = {"post_id": name, "account_id": account, "platform": "YouTube", "content": text}
        record |= {"media_type": "text", "published_at": instant, "event_time": instant}
        self._producer.produce(_TOPIC, json.dumps(record).encode(), timestamp=int(now * 1000))
        self._producer.poll(0)
        self.created[name] = now

    def keep_pace(self, rate: float, seconds: float) -> None:
        """Produce posts of ten accounts for some seconds."""
        begun = time.monotonic()
        while (passed := time.monotonic() - begun) < seconds:
            while len(self.created) < passed * rate:
                self.produce(f"account-{len(self.created) % 10}", "A good day, and great coffee!")
            time.sleep(0.02)
        self.flush()

    def flush(self) -> None:
        """Wait until the broker has all posts."""
        if self._producer.flush(30):
            raise RuntimeError("the broker has not taken all posts within 30 s")


def measure(platform: LivePlatform, alerts: list[str], rate: float, seconds: float) -> list[Figure]:
    """The waits of texts of a steady stream, then the wait for an alert."""
    posts = Posts(platform.kafka)
    pace = threading.Thread(target=posts.keep_pace, args=(rate, seconds))
    pace.start()
    scored: dict[str, float] = {}
    deadline = time.monotonic() + seconds + _LONGEST
    while pace.is_alive() or len(scored) < len(posts.created):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(scored)} of {len(posts.created)} posts have a score")
        _look(platform, scored)
        time.sleep(_POLL_SECONDS)
    waits = [scored[name] - at for name, at in posts.created.items()]
    begun = time.time()
    for _ in range(30):
        posts.produce(_ACCOUNT, _BAD)
    posts.flush()
    await_that(lambda: any(_ACCOUNT in text for text in alerts), _LONGEST, "the alert")
    p50, p95, longest = np.percentile(waits, (50, 95, 100))
    return [
        Figure("texts", "posts of a stream without a pause", len(waits), "posts"),
        Figure("texts", "post to score, p50", float(p50), "s"),
        Figure("texts", "post to score, p95", float(p95), "s", SECONDS),
        Figure("texts", "post to score, longest", float(longest), "s"),
        Figure("alert", "negative posts to alert", time.time() - begun, "s", SECONDS),
    ]


def _look(platform: LivePlatform, scored: dict[str, float]) -> None:
    """Record the texts that have a score now."""
    rows = platform.warehouse.query("SELECT text_id FROM text.sentiment").result_rows
    now = time.time()
    for (name,) in rows:
        scored.setdefault(name, now)


@contextmanager
def receiver() -> Iterator[list[str]]:
    """A receiver of alerts on loopback, which the environment names; yields their texts."""
    received: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ[URLS] = f"json://127.0.0.1:{server.server_port}/"
    try:
        yield received
    finally:
        server.shutdown()


def main() -> int:
    """Measure and print; 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=240)
    parser.add_argument("--rate", type=float, default=5, help="posts a second")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="scored-texts-") as folder,
        receiver() as alerts,
        broker(Path(folder)) as home,
        live_platform(home) as platform,
    ):
        figures = measure(platform, alerts, options.rate, options.seconds)
    for figure in figures:
        print(figure.line())
    return 0 if all(figure.is_met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
