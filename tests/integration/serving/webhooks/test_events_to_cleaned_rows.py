"""What was received, through raw to cleaned: each event is one row, however often it comes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from resources.settings.home import Home
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import ingest_files
from tests.integration.pipeline.accounts import Counts, counts
from tests.integration.serving.webhooks.receiver_bed import (
    reactions,
    receiver,
    sealed,
    store_secrets,
)

StreamOf = Callable[[str], StreamStores]


def test_a_delivery_that_comes_twice_is_one_cleaned_row(stream: StreamOf, tmp_path: Path) -> None:
    notices = stream("webhook_notices")
    home = Home(tmp_path / "home")
    store_secrets(home)
    now = int(time.time())
    follow = {"data": {"event_uuid": "-7", "event_type": "follow.follow"}}
    for _ in range(2):
        with receiver(home) as running:
            assert running.post("facebook", reactions(1, 2, 3, at=now)).status_code == 200
            # The same events in other requests, as a platform may group them anew.
            assert running.post("facebook", reactions(3, 4, at=now)).status_code == 200
            assert running.post("x", json.dumps(follow).encode()).status_code == 200
            running.end()
    files = sealed(home, "webhook_notices")
    ingested = ingest_files(notices, files)
    assert not ingested.failures
    assert counts(notices) == Counts(raw=12, cleaned=5, duplicates=7, rejected=0, warehouse=5)
    rows = notices.cleaned.read().to_pylist()
    assert {row["kind"] for row in rows} == {"feed.reaction.add", "follow.follow"}
    assert {row["happened_at"].timestamp() for row in rows if row["platform"] == "Facebook"} == {
        now
    }
    payloads = [json.loads(row["payload"]) for row in rows if row["platform"] == "Facebook"]
    assert sorted(each["value"]["from"]["id"] for each in payloads) == ["1", "2", "3", "4"]
