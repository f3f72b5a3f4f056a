"""Exposures and feedback with Kafka behind the API: an event that was answered is in its topic."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from resources.kafka.resource import KafkaResource
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.contracts.contract import TOPIC_PREFIX
from tests.integration.kafka.kafka_producing import ends, read_all, reader, values
from tests.integration.serving.conftest import running

pytestmark = pytest.mark.kafka

EXPOSURE: dict[str, Any] = {
    "exposure_id": "e1",
    "shown_at": "2026-11-30T12:00:00Z",
    "platform": "instagram",
    "user_id": "u1",
    "item_ids": ["p4", "p2"],
    "model": "als",
    "propensities": [None, 0.25],
}
FEEDBACK: dict[str, Any] = {
    "feedback_id": "f1",
    "happened_at": "2026-11-30T12:05:00Z",
    "platform": "instagram",
    "user_id": "u1",
    "item_id": "p2",
    "kind": "click",
}


def in_topic(kafka: KafkaResource, topic: str) -> list[dict[str, Any]]:
    read = read_all(reader(kafka, topic), ends(kafka, topic))
    return [json.loads(value or b"") for value in values(read.records)]


def test_what_is_answered_is_in_its_topic_and_not_in_the_landing_folder(
    kafka: KafkaResource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix, home = f"t{uuid4().hex[:8]}_", Home(tmp_path / "home")
    monkeypatch.setenv(TOPIC_PREFIX, prefix)
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(home.path))
    with running(home) as api:
        shown = api.client().post("/api/v1/exposures", json={"exposures": [EXPOSURE]})
        given = api.client().post("/api/v1/feedback", json={"feedback": [FEEDBACK]})
        assert (shown.json(), given.json()) == ({"stored": 1}, {"stored": 1})
        found = in_topic(kafka, prefix + "recommendation_exposures")
        by_place = sorted((each["position"], each["item_id"], each["propensity"]) for each in found)
        assert by_place == [(1, "p4", None), (2, "p2", 0.25)]
        [click] = in_topic(kafka, prefix + "recommendation_feedback")
        assert (click["feedback_id"], click["kind"]) == ("f1", "click")
    assert not home.landing.exists()
