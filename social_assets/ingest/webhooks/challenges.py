"""Answers the requests by which a platform verifies that a URL is ours.

Belongs here: one function for each way of verification.
"""

from __future__ import annotations

import hmac
import json

from social_assets.control.collection.webhook_secrets import WebhookSecrets
from social_assets.ingest.webhooks.signatures import base64_mac
from social_assets.ingest.webhooks.webhook import ChallengeAnswer, ChallengeRefusedError, Query

LONGEST = 1024
"""Characters of a challenge that is answered."""

FEED = "https://www.youtube.com/xml/feeds/videos.xml?channel_id="
"""What a channel's id is put behind, in the topic of a subscription."""


def answer_meta(query: Query, secrets: WebhookSecrets) -> ChallengeAnswer:
    """The challenge, if the request shows our verify token."""
    if query.get("hub.mode") != "subscribe":
        raise ChallengeRefusedError("hub.mode is not subscribe")
    _check_token(query, secrets)
    return _challenge(query, "hub.challenge")


def answer_websub(query: Query, secrets: WebhookSecrets) -> ChallengeAnswer:
    """The challenge, if the topic is a channel's feed and the request shows our verify token.

    The token was in our own request to the hub. Without it anybody could have the hub end our
    subscriptions.
    """
    if query.get("hub.mode") not in ("subscribe", "unsubscribe"):
        raise ChallengeRefusedError("hub.mode is neither subscribe nor unsubscribe")
    if not query.get("hub.topic", "").startswith(FEED):
        raise ChallengeRefusedError("hub.topic is not the feed of a channel")
    _check_token(query, secrets)
    return _challenge(query, "hub.challenge")


def answer_crc(query: Query, secrets: WebhookSecrets) -> ChallengeAnswer:
    """The token of X's challenge-response check, signed."""
    token = _challenge(query, "crc_token").body
    answer = {"response_token": base64_mac(secrets.secret, token)}
    return ChallengeAnswer(json.dumps(answer).encode(), b"application/json")


def _check_token(query: Query, secrets: WebhookSecrets) -> None:
    given, expected = query.get("hub.verify_token", ""), secrets.verify_token
    # An empty token equals none that can be stored.
    if not hmac.compare_digest(given.encode(), (expected or "").encode()) or not expected:
        raise ChallengeRefusedError("hub.verify_token is not ours")


def _challenge(query: Query, name: str) -> ChallengeAnswer:
    text = query.get(name, "")
    if not 0 < len(text) <= LONGEST:
        raise ChallengeRefusedError(f"{name} is missing, or longer than {LONGEST} characters")
    return ChallengeAnswer(text.encode())
