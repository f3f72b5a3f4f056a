"""Exposures and feedback are durable before they are answered, land once, and only by who may."""

from __future__ import annotations

import json
from typing import Any

import pytest

from resources.clickhouse.resource import ClickHouseResource
from social_assets.contracts.registry import contract
from social_assets.control.api_keys import Role
from social_assets.defs.stores import StoresResource
from social_assets.serving.body_limit import MOST_BODY_BYTES
from tests.integration.serving.conftest import Api
from tests.integration.serving.recommended.conftest import Recommending

EXPOSURE: dict[str, Any] = {
    "exposure_id": "e1",
    "shown_at": "2026-11-30T13:00:00+01:00",
    "platform": "instagram",
    "user_id": "u1",
    "item_ids": ["p4", "p2"],
    "model": "als",
    "model_version": "v1",
    "placement": "home_feed",
}
FEEDBACK: dict[str, Any] = {
    "feedback_id": "f1",
    "happened_at": "2026-11-30T12:05:00Z",
    "platform": "instagram",
    "user_id": "u1",
    "item_id": "p2",
    "kind": "click",
}


def send(api: Api, kind: str, *events: dict[str, Any], key: str | None = None) -> Any:
    return api.client(key).post(f"/api/v1/{kind}", json={kind: list(events)})


def landed(api: Api, stream: str) -> list[dict[str, Any]]:
    """The records that are on disk at this moment, sealed or not."""
    files = sorted((api.home.landing / stream).iterdir())
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def test_what_is_answered_is_on_disk(api: Api) -> None:
    before = len(landed(api, "recommendation_exposures")) if api.home.landing.exists() else 0
    assert send(api, "exposures", EXPOSURE).json() == {"stored": 1}
    found = landed(api, "recommendation_exposures")[before:]
    assert [(each["position"], each["item_id"]) for each in found] == [(1, "p4"), (2, "p2")]
    assert {each["shown_at"] for each in found} == {"2026-11-30T12:00:00.000+00:00"}


def test_the_records_pass_their_contracts_and_what_is_sent_twice_is_one_row(
    recommending: Recommending,
) -> None:
    from social_assets.pipeline.stream_work import ingest_files
    from tests.integration.serving.conftest import running

    shown = {**EXPOSURE, "exposure_id": "twice", "first_position": 21, "propensities": [0.5, 0.25]}
    stay = {**FEEDBACK, "feedback_id": "twice", "kind": "dwell", "dwell_seconds": 12.5}
    for _ in range(2):
        with running(recommending.home) as api:
            assert send(api, "exposures", shown).status_code == 200
            assert send(api, "feedback", stay).status_code == 200
    for stream, columns, expected in (
        ("recommendation_exposures", "position, propensity", [(21, 0.5), (22, 0.25)]),
        ("recommendation_feedback", "kind, dwell_seconds", [("dwell", 12.5)]),
    ):
        stores = StoresResource(clickhouse=ClickHouseResource()).stores().of(contract(stream))
        ingest_files(stores, sorted((recommending.home.landing / stream).glob("*.ndjson")))
        key = "exposure_id" if "position" in columns else "feedback_id"
        rows = recommending.warehouse.client.query(
            f"SELECT {columns} FROM cleaned.{stream} WHERE {key} = 'twice' ORDER BY 1"
        ).result_rows
        assert [tuple(row) for row in rows] == expected


@pytest.mark.parametrize(
    ("kind", "event"),
    [
        ("exposures", {**EXPOSURE, "item_ids": []}),
        ("exposures", {**EXPOSURE, "propensities": [0.5]}),
        ("exposures", {**EXPOSURE, "propensities": [0.0, 0.5]}),
        ("exposures", {**EXPOSURE, "shown_at": "2026-11-30T12:00:00"}),
        ("exposures", {**EXPOSURE, "surprise": 1}),
        ("feedback", {**FEEDBACK, "kind": "love"}),
        ("feedback", {**FEEDBACK, "dwell_seconds": 3}),
        ("feedback", {**FEEDBACK, "kind": "dwell"}),
        ("feedback", {**FEEDBACK, "feedback_id": ""}),
        ("feedback", {**FEEDBACK, "user_id": 7}),
    ],
)
def test_an_event_that_cannot_be_right_is_refused(
    api: Api, kind: str, event: dict[str, Any]
) -> None:
    answer = send(api, kind, event)
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["remedy"]


@pytest.mark.parametrize("is_declared", [True, False])
def test_a_body_that_is_too_large_is_not_read_to_its_end(api: Api, is_declared: bool) -> None:
    large = b" " * (MOST_BODY_BYTES + 1)
    parts = (large[at : at + 65_536] for at in range(0, len(large), 65_536))
    answer = api.client().post(
        "/api/v1/feedback",
        content=large if is_declared else parts,
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 413
    assert f"more than {MOST_BODY_BYTES:,} bytes" in answer.json()["detail"]


def test_a_key_that_may_only_read_sends_nothing(api: Api) -> None:
    key = api.key(role=Role.READ)
    assert send(api, "feedback", FEEDBACK, key=key).status_code == 403
    assert send(api, "exposures", EXPOSURE, key=key).status_code == 403


def test_a_key_of_an_account_sends_events_of_its_own_posts_only(api: Api) -> None:
    key = api.key("instagram:1", role=Role.WRITE)
    assert send(api, "feedback", FEEDBACK, key=key).status_code == 200
    for hidden in ("p1", "nowhere"):
        answer = send(api, "feedback", FEEDBACK, {**FEEDBACK, "item_id": hidden}, key=key)
        assert (answer.status_code, answer.json()["parameter"]) == (403, "item_id")


def test_events_that_cannot_be_stored_are_answered_503(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("social_assets.serving.webhooks.landing_segments.os.fdatasync", full)
    answer = send(api, "feedback", {**FEEDBACK, "feedback_id": "lost"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "same ids" in answer.json()["remedy"]
