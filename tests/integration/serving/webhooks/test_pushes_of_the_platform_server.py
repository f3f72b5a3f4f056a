"""Against the platform server, which verifies, signs, repeats and mixes up as the platforms do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from resources.settings.home import Home
from social_assets.demo.platforms.process import platform_server
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import ingest_files
from tests.integration.pipeline.accounts import counts
from tests.integration.serving.webhooks.receiver_bed import (
    SECRET,
    TOKEN,
    RunningReceiver,
    receiver,
    sealed,
    store_secrets,
)

NOTICES = "webhook_notices"
COMMENTS = "comments"
PLATFORMS = ("instagram", "facebook", "x", "tiktok", "youtube")


@pytest.fixture(scope="module")
def platforms() -> Iterator[httpx.Client]:
    with platform_server(accounts=2) as url, httpx.Client(base_url=url, timeout=120) as client:
        yield client


def asked(client: httpx.Client, path: str, **to: Any) -> dict[str, Any]:
    answer = client.post(path, json=to)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def subscribe(client: httpx.Client, platform: str, to: RunningReceiver, token: str = TOKEN) -> bool:
    url = f"{to.url}/webhooks/{platform}"
    given = {"url": url, "secret": SECRET, "verify_token": token}
    return bool(asked(client, "/__webhooks", platform=platform, **given)["is_verified"])


def test_what_the_platforms_were_told_is_accepted_is_one_row_each(
    platforms: httpx.Client, stream: Callable[[str], StreamStores], tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    store_secrets(home)
    accepted: dict[str, dict[str, int]] = {}
    with receiver(home) as running:
        for platform in PLATFORMS:
            assert subscribe(platforms, platform, running), platform
            how = {"most": 300, "repeat": 0.3, "shuffle": True, "in_one": 7}
            sent = asked(
                platforms, "/__deliver", platform=platform, since_seconds=10 * 86_400, **how
            )["subscriptions"][platform]
            assert set(sent["statuses"]) == {"200"}
            accepted[platform] = sent["accepted"]
        running.end()
    rows: list[dict[str, Any]] = []
    duplicates = 0
    for name in (NOTICES, COMMENTS):
        fed = stream(name)
        ingested = ingest_files(fed, sealed(home, name))
        assert not ingested.failures
        total = counts(fed)
        assert total.rejected == 0
        duplicates += total.duplicates
        rows += fed.cleaned.read().to_pylist()
    for platform, keys in accepted.items():
        mine = [row for row in rows if row["platform"].lower() == platform]
        assert len(mine) == len(keys) > 0, platform
    notices_of_x = {
        row["notice_id"] for row in rows if row["platform"] == "X" and "notice_id" in row
    }
    assert notices_of_x <= set(accepted["x"])
    assert duplicates == sum(sum(keys.values()) - len(keys) for keys in accepted.values()) > 0


def test_a_platform_with_another_verify_token_is_not_verified(
    platforms: httpx.Client, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    store_secrets(home)
    with receiver(home) as running:
        for platform in ("instagram", "facebook", "youtube"):
            assert not subscribe(platforms, platform, running, token="another-verify-token")
