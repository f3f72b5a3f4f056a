"""Registers webhooks and sends deliveries, with a record of what was answered.

Belongs here: verification, signatures, several events in a request, repeats, disorder. What an
event says belongs to `events`.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections import Counter
from dataclasses import dataclass, field
from time import time
from typing import Any

import httpx

from social_assets.demo.platforms.pushes.events import JsonObject, PushedEvent, events_of
from social_assets.demo.platforms.world.draws import Draws
from social_assets.demo.platforms.world.world import SimulatedWorld

_TIMEOUT = 10.0
_TOPIC = "https://www.youtube.com/xml/feeds/videos.xml?channel_id="
_OBJECTS = {"instagram": "instagram", "facebook": "page"}


@dataclass(slots=True)
class Subscription:
    """Where the webhooks of a platform go, and the record of their delivery."""

    platform: str
    url: str
    secret: str
    verify_token: str
    is_verified: bool = False
    statuses: Counter[str] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)
    """Event key -> how often a delivery that held it was answered with 2xx."""
    refused: Counter[str] = field(default_factory=Counter)


class Deliveries:
    """Subscriptions by platform."""

    def __init__(self, world: SimulatedWorld) -> None:
        self._world = world
        self._subscriptions: dict[str, Subscription] = {}
        self._shared: httpx.AsyncClient | None = None

    async def subscribe(self, to: JsonObject) -> JsonObject:
        """Register `url` with `secret` for a platform, and verify it as that platform does."""
        made = Subscription(to["platform"], to["url"], to["secret"], to.get("verify_token", ""))
        if made.platform not in ("instagram", "facebook", "x", "tiktok", "youtube"):
            raise ValueError(f"no platform {made.platform!r} sends webhooks")
        self._subscriptions[made.platform] = made
        status, made.is_verified = await _verify(self._client(), made)
        return {"platform": made.platform, "is_verified": made.is_verified, "status": status}

    async def deliver(self, what: JsonObject, now: float) -> JsonObject:
        """Send the events of `since_seconds` (default a day) before now, or of a list `keys`.
        `repeat` is the share that is sent twice, `in_one` the most events of a request, `shuffle`
        mixes up the order, `parallel` is the number of requests at a time.
        """
        subscription = self._subscriptions[what["platform"]]
        if not subscription.is_verified and not what.get("anyway"):
            raise ValueError(f"{what['platform']} sends nothing: the URL was not verified")
        since = now - float(what.get("since_seconds", 86_400))
        events = list(events_of(self._world, subscription.platform, since, now))
        events = events[: int(what.get("most", len(events)))]
        draws = Draws(self._world.options.seed, "deliveries", subscription.platform, now)
        repeat = float(what.get("repeat", 0))
        events += [each for each in events if draws.is_true(repeat)]
        if what.get("shuffle"):
            events.sort(key=lambda _: draws.whole())
        requests = _requests(subscription, events, int(what.get("in_one", 1)))
        gate = asyncio.Semaphore(int(what.get("parallel", 8)))
        client = self._client()

        async def send(keys: list[str], body: bytes) -> None:
            async with gate:
                await _send(client, subscription, keys, body)

        await asyncio.gather(*(send(keys, body) for keys, body in requests))
        return {"events": len(events), "requests": len(requests)} | self.report()

    def _client(self) -> httpx.AsyncClient:
        """Return one client for all: making one takes a tenth of a second."""
        if self._shared is None:
            self._shared = httpx.AsyncClient(timeout=_TIMEOUT)
        return self._shared

    def report(self) -> JsonObject:
        """Return what was answered: the accepted keys are those that a receiver must not lose."""
        return {
            "subscriptions": {
                name: {
                    "url": each.url,
                    "is_verified": each.is_verified,
                    "statuses": dict(each.statuses),
                    "accepted": dict(each.accepted),
                    "refused": dict(each.refused),
                }
                for name, each in self._subscriptions.items()
            }
        }


def _requests(
    subscription: Subscription, events: list[PushedEvent], in_one: int
) -> list[tuple[list[str], bytes]]:
    """Return bodies with the keys of their events. Only Meta puts several into one request."""
    joined = _OBJECTS.get(subscription.platform)
    if joined is None:
        return [([each.key], _written(each.body)) for each in events]
    groups = [events[n : n + in_one] for n in range(0, len(events), in_one)]
    return [
        (
            [each.key for each in group],
            _written({"object": joined, "entry": [each.body for each in group]}),
        )
        for group in groups
    ]


def _written(body: JsonObject | str) -> bytes:
    """Write a body; characters beyond ASCII are escaped, as Meta does."""
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


async def _send(
    client: httpx.AsyncClient, subscription: Subscription, keys: list[str], body: bytes
) -> None:
    # TikTok signs the time of sending: a real one, as receivers refuse what is old.
    headers = signature(subscription.platform, subscription.secret, body, int(time()))
    is_feed = subscription.platform == "youtube"
    headers["content-type"] = "application/atom+xml" if is_feed else "application/json"
    try:
        answer = await client.post(subscription.url, content=body, headers=headers)
    except httpx.TransportError as error:
        subscription.statuses[type(error).__name__] += 1
        subscription.refused.update(keys)
        return
    subscription.statuses[str(answer.status_code)] += 1
    taken = subscription.accepted if answer.is_success else subscription.refused
    taken.update(keys)


def signature(platform: str, secret: str, body: bytes, at: int) -> dict[str, str]:
    """Return the header that signs a body as the platform does."""
    key = secret.encode()
    match platform:
        case "x":
            digest = hmac.new(key, body, hashlib.sha256).digest()
            return {"x-twitter-webhooks-signature": f"sha256={base64.b64encode(digest).decode()}"}
        case "tiktok":
            signed = hmac.new(key, f"{at}.".encode() + body, hashlib.sha256).hexdigest()
            return {"tiktok-signature": f"t={at},s={signed}"}
        case "youtube":
            return {"x-hub-signature": f"sha1={hmac.new(key, body, hashlib.sha1).hexdigest()}"}
    return {"x-hub-signature-256": f"sha256={hmac.new(key, body, hashlib.sha256).hexdigest()}"}


async def _verify(client: httpx.AsyncClient, to: Subscription) -> tuple[int, bool]:
    challenge = str(Draws("challenge", to.url, to.secret).below(10**10))
    match to.platform:
        case "tiktok":
            return 0, True  # registered in its developer portal, without a request
        case "x":
            query = {"crc_token": challenge}
            answer = await client.get(to.url, params=query)
            digest = hmac.new(to.secret.encode(), challenge.encode(), hashlib.sha256).digest()
            expected = {"response_token": f"sha256={base64.b64encode(digest).decode()}"}
            return answer.status_code, answer.is_success and _json_of(answer) == expected
        case "youtube":
            query = {"hub.topic": f"{_TOPIC}UC", "hub.lease_seconds": "432000"}
            query |= {"hub.verify_token": to.verify_token} if to.verify_token else {}
        case _:
            query = {"hub.verify_token": to.verify_token}
    query |= {"hub.mode": "subscribe", "hub.challenge": challenge}
    answer = await client.get(to.url, params=query)
    return answer.status_code, answer.is_success and answer.text == challenge


def _json_of(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None
