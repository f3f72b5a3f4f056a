"""A person who is forgotten is in no store of features, whichever it is."""

from __future__ import annotations

import pytest

from social_assets.control.privacy.person import Person
from social_assets.defs.privacy.other_places import delete_online_features
from social_assets.features.feature_view import ACCOUNT, USER
from social_assets.features.online.chosen_store import FILE, online_store
from social_assets.features.online.materialize import materialize
from social_assets.features.online.redis_store import URL_VARIABLE
from social_assets.pipeline.privacy.home_files import has_id
from social_assets.pipeline.privacy.ids_in_bytes import IdsInBytes
from social_assets.pipeline.privacy.person_ids import PersonIds
from tests.integration.features.test_features_assets import ago
from tests.integration.warehouse.features.conftest import FeaturesUnderTest
from tests.integration.warehouse.features.plain_sessions import Event

GONE, SHORT = "planted-person-7f3a9", "u7"


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_a_forgotten_person_leaves_the_online_store(
    features: FeaturesUnderTest,
    kind: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if kind == "redis":
        monkeypatch.setenv(URL_VARIABLE, request.getfixturevalue("redis").url)
    home = features.warehouse.home
    features.events(*(Event(user, ago(1), "p") for user in (GONE, SHORT, "ben")))
    store = online_store(home)
    materialize(features.warehouse.client, store, home.path / "locks")
    assert store.read(USER, GONE)
    assert store.read(USER, SHORT)
    persons = PersonIds(frozenset({Person(GONE), Person(SHORT, "X")}))
    assert delete_online_features(home, persons) > 0
    assert store.read(USER, GONE) == store.read(USER, SHORT) == {}
    assert store.read(USER, "ben")
    assert store.read(ACCOUNT, "a1")
    store.close()
    assert delete_online_features(home, persons) == 0
    if kind == "sqlite":
        assert not has_id(home.features / FILE, IdsInBytes([GONE]))
        assert GONE.encode() not in (home.features / FILE).read_bytes()
