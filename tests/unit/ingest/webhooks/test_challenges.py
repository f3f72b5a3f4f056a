"""Verification of URLs."""

from __future__ import annotations

import json

import pytest

from social_assets.control.collection.webhook_secrets import WebhookSecrets
from social_assets.ingest.webhooks.challenges import LONGEST, answer_crc, answer_meta, answer_websub
from social_assets.ingest.webhooks.webhook import ChallengeRefusedError

TOKEN = "made-up-verify-token"
OURS = WebhookSecrets(b"made-up-consumer-secret", TOKEN)
META = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": TOKEN}
WEBSUB = {
    **META,
    "hub.topic": "https://www.youtube.com/xml/feeds/videos.xml?channel_id=UCmadeup1",
    "hub.lease_seconds": "432000",
}


def test_the_challenge_comes_back_as_plain_text() -> None:
    answer = answer_meta(META, OURS)
    assert (answer.body, answer.media) == (b"1158201444", b"text/plain; charset=utf-8")


@pytest.mark.parametrize(
    "changed",
    [
        {"hub.verify_token": "made-up-verify-tokem"},
        {"hub.verify_token": ""},
        {"hub.mode": "unsubscribe"},
        {"hub.mode": ""},
        {"hub.challenge": ""},
        {"hub.challenge": "9" * (LONGEST + 1)},
    ],
)
def test_a_wrong_verification_is_refused(changed: dict[str, str]) -> None:
    with pytest.raises(ChallengeRefusedError):
        answer_meta({**META, **changed}, OURS)


@pytest.mark.parametrize("given", ["", TOKEN])
def test_nothing_is_verified_while_no_token_is_stored(given: str) -> None:
    without = WebhookSecrets(b"s", None)
    for answer in (answer_meta, answer_websub):
        with pytest.raises(ChallengeRefusedError):
            answer({**WEBSUB, "hub.verify_token": given}, without)


@pytest.mark.parametrize("mode", ["subscribe", "unsubscribe"])
def test_a_hub_is_answered_for_the_feed_of_a_channel(mode: str) -> None:
    assert answer_websub({**WEBSUB, "hub.mode": mode}, OURS).body == b"1158201444"


@pytest.mark.parametrize(
    "changed",
    [{"hub.topic": "https://example.com/feed"}, {"hub.topic": ""}, {"hub.verify_token": "x"}],
)
def test_a_hub_is_refused_for_what_we_did_not_ask(changed: dict[str, str]) -> None:
    with pytest.raises(ChallengeRefusedError):
        answer_websub({**WEBSUB, **changed}, OURS)


def test_the_crc_token_comes_back_signed_in_base64() -> None:
    # By `openssl dgst -sha256 -hmac made-up-consumer-secret -binary | base64`.
    expected = "sha256=/L15gian7iAFita3GaIni5e17c7+b0MfJqvDW4QiRKw="
    answer = answer_crc({"crc_token": "9b4507b3-made-up"}, OURS)
    assert json.loads(answer.body) == {"response_token": expected}
    assert answer.media == b"application/json"


def test_no_crc_token_is_refused() -> None:
    with pytest.raises(ChallengeRefusedError):
        answer_crc({}, OURS)
