"""The receiver over HTTP: what it verifies, refuses and stores."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Iterator

import httpx
import pytest

from resources.settings.home import Home
from tests.integration.serving.webhooks.receiver_bed import (
    COMMAND,
    TOKEN,
    RunningReceiver,
    reactions,
    receiver,
    records,
    sealed,
    signed,
    store_secrets,
)
from tests.small_disk import MakeSmallDisk

NOTICES = "webhook_notices"
PLATFORMS = ("instagram", "facebook", "x", "tiktok", "youtube")
VIDEO = (
    b'<feed xmlns:yt="http://www.youtube.com/xml/schemas/2015" xmlns="http://www.w3.org/2005/Atom">'
    b"<entry><yt:videoId>v%d</yt:videoId><yt:channelId>UC1</yt:channelId>"
    b"<updated>2026-11-20T09:00:05+00:00</updated></entry></feed>"
)
NUMBER = iter(range(1, 1_000_000))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("webhooks"))
    store_secrets(home)
    return home


@pytest.fixture(scope="module")
def running(home: Home) -> Iterator[RunningReceiver]:
    with receiver(home) as made:
        yield made


def body_of(platform: str, number: int) -> bytes:
    match platform:
        case "youtube":
            return VIDEO % number
        case "x":
            return json.dumps({"data": {"event_uuid": str(number), "event_type": "x"}}).encode()
        case "tiktok":
            return json.dumps({"event": "x", "create_time": number}).encode()
    return reactions(number)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_delivery_is_stored_before_it_is_answered(
    running: RunningReceiver, platform: str
) -> None:
    before = len(records(running.home, NOTICES))
    answer = running.post(platform, body_of(platform, next(NUMBER)))
    assert (answer.status_code, answer.content) == (200, b"")
    stored = records(running.home, NOTICES)
    assert len(stored) == before + 1
    assert stored[-1]["platform"].lower() == platform


@pytest.mark.parametrize("platform", PLATFORMS)
def test_nothing_is_stored_of_what_is_not_signed_by_the_platform(
    running: RunningReceiver, platform: str
) -> None:
    before = len(records(running.home, NOTICES))
    body, url = body_of(platform, next(NUMBER)), f"{running.url}/webhooks/{platform}"
    unsigned = running.client.post(url, content=body)
    changed = running.client.post(url, content=body + b" ", headers=signed(platform, body))
    assert (unsigned.status_code, changed.status_code) == (401, 403)
    assert len(records(running.home, NOTICES)) == before


def test_several_entries_of_a_delivery_are_stored_together(running: RunningReceiver) -> None:
    before = len(records(running.home, NOTICES))
    assert running.post("facebook", reactions(*range(7))).status_code == 200
    assert len(records(running.home, NOTICES)) == before + 7


def test_meta_verifies_the_url(running: RunningReceiver) -> None:
    asked = {"hub_mode": "subscribe", "hub_challenge": "1158201444"}
    answer = running.get("instagram", **asked, hub_verify_token=TOKEN)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert running.get("instagram", **asked, hub_verify_token="another").status_code == 403


def test_x_checks_that_we_know_the_secret(running: RunningReceiver) -> None:
    answer = running.get("x", crc_token="made-up")
    expected = signed("x", b"made-up")["x-twitter-webhooks-signature"]
    assert answer.json() == {"response_token": expected}


def test_the_hub_of_youtube_verifies_a_subscription(running: RunningReceiver) -> None:
    topic = "https://www.youtube.com/xml/feeds/videos.xml?channel_id=UC1"
    asked = {"hub_mode": "subscribe", "hub_challenge": "c", "hub_topic": topic}
    assert running.get("youtube", **asked, hub_verify_token=TOKEN).text == "c"
    assert running.get("youtube", **asked).status_code == 403


def test_an_old_signature_of_tiktok_is_refused(running: RunningReceiver) -> None:
    body = body_of("tiktok", next(NUMBER))
    url = f"{running.url}/webhooks/tiktok"
    old = running.client.post(url, content=body, headers=signed("tiktok", body, 1_700_000_000))
    assert (old.status_code, "seconds away" in old.text) == (403, True)


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe"])
def test_signed_garbage_is_refused(running: RunningReceiver, platform: str, body: bytes) -> None:
    assert running.post(platform, body).status_code == 400


def test_a_body_that_is_too_large_is_not_read(running: RunningReceiver) -> None:
    body = b"[" + b" " * (4 * 2**20) + b"]"
    assert running.post("facebook", body).status_code == 413
    chunked = running.client.post(
        f"{running.url}/webhooks/facebook",
        content=(body[at : at + 65_536] for at in range(0, len(body), 65_536)),
        headers=signed("facebook", body),
    )
    assert chunked.status_code == 413
    assert running.post("facebook", reactions(next(NUMBER))).status_code == 200


def test_an_event_that_no_broker_takes_is_refused(running: RunningReceiver) -> None:
    value = {"field": "x", "value": {"text": "a" * 900_000}}
    assert running.post("facebook", json.dumps({"entry": [value]}).encode()).status_code == 413


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", ""])
def test_another_host_name_is_refused(running: RunningReceiver, host: str) -> None:
    body = reactions(next(NUMBER))
    assert running.post("facebook", body, host=host).status_code in (400, 403)


def test_other_paths_and_methods_are_refused(running: RunningReceiver) -> None:
    client, url = running.client, running.url
    assert client.get(f"{url}/").status_code == 404
    assert client.post(f"{url}/webhooks/myspace").status_code == 404
    assert client.put(f"{url}/webhooks/facebook").status_code == 405
    assert client.get(f"{url}/webhooks/tiktok").status_code == 405


def test_a_body_that_does_not_arrive_holds_up_nobody(running: RunningReceiver) -> None:
    host, port = running.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as slow:
        slow.sendall(
            b"POST /webhooks/facebook HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n{"
        )
        assert running.post("facebook", reactions(next(NUMBER))).status_code == 200
        begun = time.monotonic()
        assert b" 408 " in slow.recv(4096).split(b"\r\n")[0]
        assert time.monotonic() - begun < 20


def test_a_secret_that_is_not_stored_receives_nothing(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    home = Home(tmp_path_factory.mktemp("without"))
    with receiver(home) as running:
        assert running.post("facebook", reactions(1)).status_code == 404
        store_secrets(home)
        until = time.monotonic() + 60
        while running.post("facebook", reactions(1)).status_code != 200:
            assert time.monotonic() < until, "the new secret is not used"
            time.sleep(0.2)


def test_a_file_is_sealed_after_some_seconds_and_at_the_end(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    home = Home(tmp_path_factory.mktemp("sealed"))
    store_secrets(home)
    with receiver(home) as running:
        assert running.post("facebook", reactions(1, 2)).status_code == 200
        assert sealed(home, NOTICES) == []
        until = time.monotonic() + 60
        while not sealed(home, NOTICES):
            assert time.monotonic() < until, "the file is not sealed"
            time.sleep(0.2)
        assert running.post("facebook", reactions(3)).status_code == 200
        running.end()
        assert running.process.returncode == 0
    assert len(sealed(home, NOTICES)) == 2
    assert len(records(home, NOTICES)) == 3


def test_a_full_disk_is_answered_503_until_there_is_room(
    tmp_path_factory: pytest.TempPathFactory, small_disk: MakeSmallDisk
) -> None:
    home = Home(tmp_path_factory.mktemp("full"))
    store_secrets(home)
    disk = small_disk(4, at=home.landing)
    with receiver(home) as running:
        assert running.post("facebook", reactions(1)).status_code == 200
        disk.fill()
        refused = running.post("facebook", reactions(*range(2, 200)))
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert "space" not in refused.text
        disk.make_room()
        assert running.post("facebook", reactions(200)).status_code == 200
        assert len(records(home, NOTICES)) == 2


def test_a_port_that_is_taken_is_named(running: RunningReceiver) -> None:
    port = running.url.rpartition(":")[2]
    second = subprocess.run(
        [*COMMAND, "--home", str(running.home.path), "webhooks", "serve", "--port", port],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 1
    assert f"port {port} of 127.0.0.1 is taken" in second.stderr
    assert httpx.get(f"{running.url}/").status_code == 404
