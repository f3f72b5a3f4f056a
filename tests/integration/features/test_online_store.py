"""The online store has what the warehouse has, in SQLite and in Redis alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from resources.settings.home import Home
from social_assets.features.errors import OnlineStoreError
from social_assets.features.feature import Value
from social_assets.features.feature_view import USER
from social_assets.features.online.chosen_store import online_store
from social_assets.features.online.materialize import Materialized, materialize
from social_assets.features.online.redis_store import URL_VARIABLE
from social_assets.features.online.rows import OnlineRow, OnlineStore, Watermark
from social_assets.features.online.sqlite_store import SqliteStore
from social_assets.features.registry import view_named, views
from tests.integration.warehouse.conftest import at
from tests.integration.warehouse.features.conftest import FeaturesUnderTest
from tests.integration.warehouse.features.plain_sessions import Event

DAY = date(2026, 1, 10)
NOON = at("2026-01-10 12:00")


@pytest.fixture(params=["sqlite", "redis"])
def store(
    request: pytest.FixtureRequest, features: FeaturesUnderTest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[OnlineStore]:
    """An empty store of each kind."""
    if request.param == "redis":
        monkeypatch.setenv(URL_VARIABLE, request.getfixturevalue("redis").url)
    else:
        monkeypatch.delenv(URL_VARIABLE, raising=False)
        for file in features.warehouse.home.features.glob("*"):
            file.unlink()
    found = online_store(features.warehouse.home)
    yield found
    found.close()


def taken(
    features: FeaturesUnderTest, store: OnlineStore, now: datetime
) -> dict[str, Materialized]:
    """A pass at a time."""
    home = features.warehouse.home
    return {
        each.view: each
        for each in materialize(features.warehouse.client, store, home.path / "locks", now)
    }


def value(store: OnlineStore, view: str, name: str, now: datetime, user: str = "anna") -> Value:
    """One feature of a user of X."""
    rows = store.read(USER, user).get(view, [])
    return rows[0].features(view_named(view), now)[name] if rows else None


def test_an_event_is_known_by_the_next_pass_and_its_day_at_its_end(
    features: FeaturesUnderTest, store: OnlineStore
) -> None:
    taken(features, store, NOON - timedelta(hours=1))
    features.events(Event("anna", NOON, "p"))
    taken(features, store, NOON + timedelta(minutes=1))
    assert value(store, "user_now", "events_of_day", NOON + timedelta(minutes=1)) == 1
    assert value(store, "user_now", "minutes_since_event", NOON + timedelta(minutes=7)) == 7
    assert value(store, "user_activity", "events_7d", NOON) is None
    for now, events in (("2026-01-11 00:00", 1), ("2026-01-17 12:00", 1), ("2026-01-18 00:00", 0)):
        taken(features, store, at(now))
        assert value(store, "user_activity", "events_7d", at(now)) == events
    assert value(store, "user_activity", "days_since_active", at("2026-01-18 00:00")) == 8
    assert value(store, "user_now", "events_of_day", at("2026-01-18 00:00")) is None


def test_a_pass_takes_only_those_who_have_changed(
    features: FeaturesUnderTest, store: OnlineStore
) -> None:
    features.events(*(Event(user, NOON, "p") for user in ("anna", "ben", "exact")))
    first = taken(features, store, NOON + timedelta(seconds=1))["user_now"]
    assert (first.read, first.written, first.is_everything) == (3, 3, True)
    again = taken(features, store, NOON + timedelta(seconds=2))["user_now"]
    assert (again.read, again.written, again.is_everything) == (0, 0, False)
    features.events(Event("ben", NOON + timedelta(seconds=3), "q"))
    third = taken(features, store, NOON + timedelta(seconds=4))["user_now"]
    assert (third.read, third.written) == (1, 1)
    assert value(store, "user_now", "events_of_day", NOON + timedelta(seconds=4), "ben") == 2
    # A late one, of a day that was taken: only its part of the table tells of it.
    features.events(Event("exact", NOON - timedelta(hours=1), "q"))
    fourth = taken(features, store, NOON + timedelta(seconds=5))["user_now"]
    assert (fourth.read, fourth.written) == (1, 1)
    assert value(store, "user_now", "events_of_day", NOON + timedelta(seconds=5), "exact") == 2


def test_an_event_that_came_with_a_time_in_the_future_is_taken_when_it_is_reached(
    features: FeaturesUnderTest, store: OnlineStore
) -> None:
    features.events(Event("anna", NOON, "p"))
    taken(features, store, NOON - timedelta(minutes=1))
    assert value(store, "user_now", "events_of_day", NOON) is None
    taken(features, store, NOON + timedelta(minutes=1))
    assert value(store, "user_now", "events_of_day", NOON + timedelta(minutes=1)) == 1


def test_somebody_whose_rows_are_gone_from_a_replaced_day_is_gone(
    features: FeaturesUnderTest, store: OnlineStore
) -> None:
    features.events(Event("anna", NOON, "p"), Event("ben", NOON, "p"))
    features.build(DAY)
    now = at("2026-01-11 06:00")
    taken(features, store, now)
    assert value(store, "user_interest", "post_days_28d", now) == 1
    client = features.warehouse.client
    client.command("CREATE TABLE star.other AS features.user_posts")
    try:
        client.command(
            "INSERT INTO star.other SELECT * FROM features.user_posts WHERE user_key = MD5('ben')"
        )
        client.command(f"ALTER TABLE features.user_posts REPLACE PARTITION '{DAY}' FROM star.other")
    finally:
        client.command("DROP TABLE star.other SYNC")
    taken(features, store, now + timedelta(minutes=1))
    assert value(store, "user_interest", "post_days_28d", now) is None
    assert value(store, "user_interest", "post_days_28d", now, "ben") == 1


def test_a_pass_that_is_killed_is_done_again_and_doubles_nothing(
    features: FeaturesUnderTest, store: OnlineStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    features.events(Event("anna", NOON, "p"), Event("ben", NOON, "p"))
    write = type(store).write

    class KilledError(BaseException):
        pass

    def killed(*given: object) -> int:
        if given[1] is views()[-1]:
            raise KilledError
        return write(*given)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(type(store), "write", killed)
        with pytest.raises(KilledError):
            taken(features, store, NOON + timedelta(minutes=1))
    taken(features, store, NOON + timedelta(minutes=2))
    assert value(store, "user_now", "events_of_day", NOON + timedelta(minutes=2)) == 1
    assert sorted(each.id for each in store.rows(view_named("user_now"))) == ["anna", "ben"]


def test_a_write_that_fails_leaves_rows_and_watermark_as_they_were(
    features: FeaturesUnderTest, tmp_path: Path
) -> None:
    """Of SQLite: rows and watermark are one transaction."""
    store = SqliteStore(tmp_path / "online.db")
    view = view_named("user_now")
    good = OnlineRow("X", "anna", NOON, NOON + timedelta(days=1), {"events_of_day": 1})
    # A lone surrogate is no UTF-8.
    bad = OnlineRow("X", "\ud800", NOON, NOON + timedelta(days=1), {"events_of_day": 1})
    with pytest.raises(UnicodeEncodeError):
        store.write(view, [good, bad], [], Watermark(NOON, ""))
    assert store.rows(view) == []
    assert store.watermark(view) is None
    store.close()


def test_a_person_is_forgotten_on_the_platform_that_is_named(
    features: FeaturesUnderTest, store: OnlineStore
) -> None:
    features.events(Event("anna", NOON, "p"), Event("ben", NOON, "p"))
    taken(features, store, NOON + timedelta(minutes=1))
    assert store.forget(USER, [("TikTok", "anna")]) == 0
    assert store.forget(USER, [("X", "anna"), (None, "ben")]) == 2
    assert store.read(USER, "anna") == store.read(USER, "ben") == {}
    assert not store.rows(view_named("user_now"))


def test_a_redis_that_is_away_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(URL_VARIABLE, "redis://:very-secret@127.0.0.1:1/0")
    with pytest.raises(OnlineStoreError, match=URL_VARIABLE) as failure:
        online_store(Home(tmp_path)).read(USER, "anna")
    assert "very-secret" not in str(failure.value)
