"""The server verifies a webhook's URL, signs what it sends and records what was answered."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.unit.demo.platforms.calling import Caller

SECRET = "made-up-secret"


@dataclass
class Receiver:
    """A receiver that verifies signatures and keeps the bodies."""

    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    status: int = 200
    is_right: bool = True


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver on a free port."""
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = {name: value[0] for name, value in parse_qs(urlsplit(self.path).query).items()}
            answer = query.get("hub.challenge", "") if made.is_right else "no"
            if "crc_token" in query:
                digest = hmac.new(SECRET.encode(), query["crc_token"].encode(), hashlib.sha256)
                signed = base64.b64encode(digest.digest()).decode()
                answer = json.dumps({"response_token": f"sha256={signed}"})
            self._answer(200, answer.encode())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            is_signed = signed(dict(self.headers.items()), body)
            if is_signed and made.status == 200:
                made.bodies.append(body)
            self._answer(made.status if is_signed else 403, b"")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    made.url = f"http://127.0.0.1:{server.server_port}/hook"
    yield made
    server.shutdown()
    server.server_close()


def signed(headers: dict[str, str], body: bytes) -> bool:
    """Whether a platform's signature is right, computed here a second time."""
    headers = {name.lower(): value for name, value in headers.items()}
    key = SECRET.encode()
    whole = hmac.new(key, body, hashlib.sha256)
    if "x-hub-signature-256" in headers:
        return headers["x-hub-signature-256"] == f"sha256={whole.hexdigest()}"
    if "x-hub-signature" in headers:
        expected = hmac.new(key, body, hashlib.sha1).hexdigest()
        return headers["x-hub-signature"] == f"sha1={expected}"
    if "x-twitter-webhooks-signature" in headers:
        expected = base64.b64encode(whole.digest()).decode()
        return headers["x-twitter-webhooks-signature"] == f"sha256={expected}"
    at, signature = (part.partition("=")[2] for part in headers["tiktok-signature"].split(","))
    return signature == hmac.new(key, at.encode() + b"." + body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize("platform", ["instagram", "facebook", "x", "tiktok", "youtube"])
def test_deliveries_are_signed_and_what_was_answered_200_is_recorded(
    caller: Caller, receiver: Receiver, platform: str
) -> None:
    to = {"platform": platform, "url": receiver.url, "secret": SECRET, "verify_token": "ours"}
    assert caller.control("POST", "webhooks", **to)["is_verified"]
    caller.control("POST", "deliver", platform=platform, most=30, repeat=0.5, shuffle=True)
    record = caller.control("GET", "webhooks")["subscriptions"][platform]
    assert set(record["statuses"]) == {"200"}
    assert len(receiver.bodies) == sum(record["accepted"].values()) > len(record["accepted"]) > 5
    receiver.status = 503
    caller.control("POST", "deliver", platform=platform, most=3)
    record = caller.control("GET", "webhooks")["subscriptions"][platform]
    assert sum(record["refused"].values()) == 3


def test_meta_puts_several_entries_into_a_request(caller: Caller, receiver: Receiver) -> None:
    to = {"platform": "instagram", "url": receiver.url, "secret": SECRET, "verify_token": "ours"}
    caller.control("POST", "webhooks", **to)
    caller.control("POST", "deliver", platform="instagram", most=10, in_one=4)
    entries = [len(json.loads(body)["entry"]) for body in receiver.bodies]
    assert sorted(entries) == [2, 4, 4]
    assert all(body.isascii() for body in receiver.bodies)


def test_a_url_that_answers_another_challenge_gets_nothing(
    caller: Caller, receiver: Receiver
) -> None:
    receiver.is_right = False
    to = {"platform": "youtube", "url": receiver.url, "secret": SECRET}
    assert not caller.control("POST", "webhooks", **to)["is_verified"]
    answer = caller.client.post(f"{caller.url}/__deliver", json={"platform": "youtube"})
    assert answer.status_code == 400
    assert "not verified" in answer.json()["error"]
