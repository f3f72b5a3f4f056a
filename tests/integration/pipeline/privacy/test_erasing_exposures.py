"""A deletion reaches what a person was shown, by experiments and recommenders, and the feedback."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from resources.settings.home import Home
from social_assets.control.engine import open_engine
from social_assets.control.privacy.deletion_requests import DeletionRequests
from social_assets.control.privacy.person import Person
from social_assets.lake.privacy.forgotten_persons import ANY_PLATFORM, ForgottenPerson
from social_assets.pipeline.privacy.erase_persons import erase_persons
from social_assets.pipeline.privacy.person_ids import PersonIds
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import ingest_files
from social_assets.recommend.experiments.results_tables import EXPERIMENTS, RESULTS
from social_assets.recommend.exploration.explored_items import EXPLORED_ITEMS
from social_assets.warehouse.served.serving_tables import ServingTable
from tests.integration.pipeline.accounts import contents, counts

GONE, OTHER = "gone-person-0001", "other-person-0002"


def experiment(number: int, user: str, **fields: object) -> str:
    named = {"exposure_id": f"x{number}", "exposed_at": "2026-01-01T12:00:00Z", "platform": "x"}
    shown = {"experiment": "feed", "variant": "control", "user_id": user}
    return json.dumps(named | shown | fields) + "\n"


def exposure(number: int, user: str, **fields: object) -> str:
    named = {"exposure_id": f"x{number}", "position": 1, "shown_at": "2026-01-01T12:00:00Z"}
    shown = {"platform": "x", "user_id": user, "item_id": "p1", "model": "als"}
    versions = {"model_version": "v1", "placement": "home_feed", "propensity": 0.25}
    return json.dumps(named | shown | versions | fields) + "\n"


def feedback(number: int, user: str, **fields: object) -> str:
    named = {"feedback_id": f"x{number}", "happened_at": "2026-01-01T12:00:05Z"}
    given = {"platform": "x", "user_id": user, "item_id": "p1", "kind": "click"}
    return json.dumps(named | given | fields) + "\n"


@pytest.mark.parametrize(
    ("name", "record", "wrong"),
    [
        ("experiment_exposures", experiment, {"variant": None}),
        ("recommendation_exposures", exposure, {"position": -1}),
        ("recommendation_feedback", feedback, {"kind": "love"}),
    ],
)
def test_the_events_of_a_person_are_erased_and_those_of_others_stay(  # noqa: PLR0917
    stream: Callable[[str], StreamStores],
    clickhouse: object,
    tmp_path: Path,
    name: str,
    record: Callable[..., str],
    wrong: dict[str, object],
) -> None:
    events = stream(name)
    others = tmp_path / "others.ndjson"
    others.write_text(record(1, OTHER) + record(2, OTHER, **wrong))
    ingest_files(events, [others])
    untouched = contents(events)
    own = tmp_path / "own.ndjson"
    own.write_text(record(3, GONE) + record(4, GONE, **wrong) + record(5, GONE))
    ingest_files(events, [own])
    assert counts(events).cleaned == 3

    home = Home.from_environment()
    engine = open_engine(home)
    person = Person(GONE, None)
    request = DeletionRequests(engine, home).request(person)
    forgotten = ForgottenPerson(request.person_hash, ANY_PLATFORM)
    events.stores.lake.forgotten_persons().add([forgotten])
    erased = erase_persons(events, PersonIds(frozenset([person])))
    engine.dispose()
    assert erased.records == 3
    assert contents(events) == untouched


@pytest.mark.parametrize(
    "table", [RESULTS, EXPERIMENTS, EXPLORED_ITEMS], ids=lambda each: each.name
)
def test_tables_of_results_name_no_person(table: ServingTable) -> None:
    names = {column.name for column in table.columns}
    assert names.isdisjoint({"user_id", "account_id", "user_key", "account_key", "unit_id"})
