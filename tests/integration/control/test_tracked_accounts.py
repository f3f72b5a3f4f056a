"""Tracked accounts in both databases: what is due, what is recorded, what a replay changes."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, insert

from resources.settings.home import Home
from social_assets.control.accounts import Account
from social_assets.control.collection.schedule import CollectionPlan, Priority, due_after
from social_assets.control.collection.tables import TRACKED_ACCOUNTS, TRACKED_ENDPOINTS
from social_assets.control.collection.tracked_account import Collected
from social_assets.control.collection.tracked_accounts import TrackedAccounts
from social_assets.control.engine import open_engine, writing
from social_assets.control.errors import UnknownTrackedAccountError

AT = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NATGEO = Account("Instagram", "natgeo")
HIGH = CollectionPlan(Priority.HIGH)


@pytest.fixture
def tracked(engine: Engine) -> TrackedAccounts:
    accounts = TrackedAccounts(engine, lambda: AT)
    accounts.track(NATGEO, HIGH)
    accounts.ensure_endpoints("Instagram", "natgeo", [("media", False), ("user", True)])
    return accounts


def names(accounts: TrackedAccounts, at: datetime) -> list[tuple[str, str]]:
    return [(each.name, each.endpoint) for each in accounts.due("Instagram", at, 10)]


def media(
    at: datetime, problem: str | None = None, since: str = "s1", is_refresh: bool = False
) -> Collected:
    return Collected("Instagram", "natgeo", "media", "", since, None, at, problem, is_refresh)


def test_what_is_tracked_is_due_at_once_and_again_after_its_interval(
    tracked: TrackedAccounts,
) -> None:
    assert sorted(names(tracked, AT)) == [("natgeo", "media"), ("natgeo", "user")]
    user = Collected("Instagram", "natgeo", "user", "", None, None, AT)
    tracked.finish([media(AT), user])
    assert names(tracked, AT + timedelta(seconds=59)) == []
    assert names(tracked, AT + MINUTE) == [("natgeo", "media")]
    night = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
    due = tracked.due("Instagram", night, 10)
    assert {(each.endpoint, each.is_refresh) for each in due} == {("media", True), ("user", True)}
    tracked.finish([media(night, is_refresh=True)])
    (again,) = (
        e for e in tracked.due("Instagram", night + 2 * MINUTE, 10) if e.endpoint == "media"
    )
    assert not again.is_refresh


def test_a_collection_that_began_before_the_refresh_does_not_replace_it(
    tracked: TrackedAccounts,
) -> None:
    tracked.finish([media(datetime(2026, 3, 2, 2, 0, 5, tzinfo=UTC))])
    due = tracked.due("Instagram", datetime(2026, 3, 2, 2, 1, tzinfo=UTC), 10)
    assert ("media", True) in {(each.endpoint, each.is_refresh) for each in due}


def test_a_batch_finished_again_changes_nothing(tracked: TrackedAccounts) -> None:
    batches = [[media(AT, "down")], [media(AT + MINUTE, "down")], [media(AT + 5 * MINUTE)]]
    for batch in batches:
        tracked.finish(batch)
        once = (tracked.get("Instagram", "natgeo"), names(tracked, AT + 3 * MINUTE))
        tracked.finish(batch)
        assert (tracked.get("Instagram", "natgeo"), names(tracked, AT + 3 * MINUTE)) == once
    tracked.finish([media(AT, "old", since="s0")])
    assert tracked.position("Instagram", "natgeo", "media", "") == ("s1", None)
    assert tracked.get("Instagram", "natgeo").problem is None


def test_a_chain_that_is_rewound_begins_again_from_the_mark(tracked: TrackedAccounts) -> None:
    stopped = Collected("Instagram", "natgeo", "media", "p", "s1", "page 2", AT)
    tracked.finish([media(AT), stopped])
    tracked.rewind("Instagram", "natgeo", {("media", "p"): "s0", ("media", "unknown"): "s0"})
    assert tracked.position("Instagram", "natgeo", "media", "p") == ("s0", None)
    assert tracked.position("Instagram", "natgeo", "media") == ("s1", None)
    assert tracked.position("Instagram", "natgeo", "media", "unknown") == (None, None)
    with pytest.raises(UnknownTrackedAccountError, match="Instagram:nobody"):
        tracked.rewind("Instagram", "nobody", {})


def test_a_collection_under_way_does_not_move_a_rewound_chain(tracked: TrackedAccounts) -> None:
    before, after = AT - MINUTE, AT + MINUTE
    tracked.finish([media(before - MINUTE, since="s1")])
    tracked.rewind("Instagram", "natgeo", {("media", ""): "s0"})
    tracked.finish([media(before, since="s2")])
    assert tracked.position("Instagram", "natgeo", "media") == ("s0", None)
    tracked.finish([media(after, since="s3")])
    assert tracked.position("Instagram", "natgeo", "media") == ("s3", None)


def test_failures_wait_twice_as_long_each_time_up_to_an_hour(tracked: TrackedAccounts) -> None:
    at, waits = AT, []
    for _ in range(8):
        tracked.finish([media(at, "the platform is down")])
        tracked.finish([Collected("Instagram", "natgeo", "user", "", None, None, at)])
        due_at = at + MINUTE
        while ("natgeo", "media") not in names(tracked, due_at):
            due_at += MINUTE
        waits.append((due_at - at) // MINUTE)
        at = due_at
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert tracked.get("Instagram", "natgeo").problem == "the platform is down"


def test_a_paused_account_is_never_due_until_it_is_resumed(tracked: TrackedAccounts) -> None:
    tracked.pause("Instagram", "natgeo", "its token was revoked")
    tracked.finish([media(AT)])
    tracked.ensure_endpoints("Instagram", "natgeo", [("media", False), ("tags", False)])
    tracked.track(NATGEO, CollectionPlan(Priority.LOW))
    assert names(tracked, AT + timedelta(days=3)) == []
    assert tracked.get("Instagram", "natgeo").paused_reason == "its token was revoked"
    tracked.resume("Instagram", "natgeo")
    assert ("natgeo", "tags") in names(tracked, AT)


def test_the_longest_due_comes_first_whatever_its_priority(tracked: TrackedAccounts) -> None:
    later = TrackedAccounts(tracked._engine, lambda: AT + MINUTE)
    later.track(Account("Instagram", "nasa"), HIGH)
    later.ensure_endpoints("Instagram", "nasa", [("media", False)])
    assert names(tracked, AT + MINUTE)[-1] == ("nasa", "media")
    assert len(tracked.due("Instagram", AT + MINUTE, 2)) == 2
    assert tracked.due("X", AT + MINUTE, 2) == []


def test_another_plan_holds_at_once_and_the_same_one_changes_nothing(
    tracked: TrackedAccounts,
) -> None:
    tracked.track(NATGEO, CollectionPlan(Priority.LOW))
    tracked.finish([media(AT)])
    before = tracked.get("Instagram", "natgeo")
    assert tracked.track(NATGEO, CollectionPlan(Priority.LOW)) == before
    assert ("natgeo", "media") not in names(tracked, AT + MINUTE)
    for _ in range(2):
        assert tracked.track(NATGEO, HIGH).plan == HIGH
    assert ("natgeo", "media") in names(tracked, AT + MINUTE)


def test_an_account_under_two_names_is_collected_once(tracked: TrackedAccounts) -> None:
    tracked.track(Account("Instagram", "1784"), HIGH)
    assert tracked.resolved("Instagram", "natgeo", "1784").account_id == "1784"
    twice = tracked.resolved("Instagram", "1784", "1784")
    assert twice.paused_reason is not None
    assert "Instagram:natgeo" in twice.paused_reason


def test_untracked_means_forgotten_and_a_late_batch_is_no_error(tracked: TrackedAccounts) -> None:
    tracked.finish([media(AT)])
    tracked.untrack("Instagram", "natgeo")
    tracked.finish([media(AT + MINUTE)])
    assert tracked.list() == []
    assert tracked.position("Instagram", "natgeo", "media", "") == (None, None)
    with pytest.raises(UnknownTrackedAccountError, match="Instagram:natgeo is not tracked"):
        tracked.get("Instagram", "natgeo")


def test_the_next_time_is_later_and_in_another_slot() -> None:
    for seconds in range(0, 400, 7):
        collected = AT + timedelta(seconds=seconds)
        found = due_after(AT, MINUTE, collected)
        assert collected < found <= collected + 2 * MINUTE
        assert due_after(found, MINUTE, collected) == found


def test_what_is_due_of_100000_accounts_is_found_in_a_tenth_of_a_second(sqlite_home: Home) -> None:
    engine = open_engine(sqlite_home)
    accounts = [
        {
            "platform": "Instagram",
            "name": f"a{n}",
            "priority": "standard",
            "refresh_at": "02:00",
            "time_zone": "UTC",
            "tracked_at": AT,
        }
        for n in range(100_000)
    ]
    endpoints = [
        {
            "platform": "Instagram",
            "name": f"a{n}",
            "endpoint": "media",
            "is_daily": False,
            "next_due_at": AT + timedelta(seconds=n),
            "next_refresh_at": AT + timedelta(days=9),
            "eligible_at": AT + timedelta(seconds=n),
            "failures": 0,
        }
        for n in range(100_000)
    ]
    with writing(engine) as connection:
        connection.execute(insert(TRACKED_ACCOUNTS), accounts)
        connection.execute(insert(TRACKED_ENDPOINTS), endpoints)
    tracked = TrackedAccounts(engine)
    took = []
    for _ in range(7):
        began = time.perf_counter()
        found = tracked.due("Instagram", AT + timedelta(days=2), 500)
        took.append(time.perf_counter() - began)
    assert [each.name for each in found[:2]] == ["a0", "a1"]
    # The least: other work on the machine makes a query slower, and never faster.
    assert min(took) < 0.1
    engine.dispose()
