"""Limits are never exceeded, whatever process calls, and headers correct what is counted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from resources.settings.home import Home
from social_assets.control.collection.credentials import Tokens
from social_assets.ingest.connectors.declaration.limits import (
    CalendarDay,
    CalendarMonth,
    Rolling,
)
from social_assets.ingest.connectors.engine.budgets import (
    Budgets,
    Charge,
    NoRoom,
    Reservation,
)
from social_assets.ingest.connectors.errors import QuotaExhaustedError, ThrottledError
from tests.integration.ingest.connectors.collecting import Collecting, MovedClock, raw
from tests.integration.ingest.connectors.replay_server import Asked, Given, Replayed

MINUTE = Charge("b", 3, Rolling(60), 1)
PACIFIC = CalendarDay("America/Los_Angeles")


@pytest.fixture
def budgets(home: Home, clock: MovedClock) -> Iterator[Budgets]:
    found = Budgets(home, clock)
    yield found
    found.close()


def taken(budgets: Budgets, charge: Charge) -> bool:
    found = budgets.reserve([charge], [])
    if isinstance(found, Reservation):
        budgets.finish(found)
    return isinstance(found, Reservation)


def test_a_window_slides_from_the_end_of_each_call(budgets: Budgets, clock: MovedClock) -> None:
    slow = budgets.reserve([MINUTE], [])
    assert isinstance(slow, Reservation)
    clock.sleep(30)
    budgets.finish(slow)
    assert taken(budgets, MINUTE)
    assert taken(budgets, MINUTE)
    clock.sleep(40)
    # It began 70 s ago, and the platform may have counted it 40 s ago.
    full = budgets.reserve([MINUTE], [])
    assert isinstance(full, NoRoom)
    assert full.until == pytest.approx(clock().timestamp() + 20)
    clock.sleep(20)
    assert taken(budgets, MINUTE)


def test_a_bucket_is_kept_over_restarts(home: Home, clock: MovedClock) -> None:
    for expected in (True, True, True, False):
        budgets = Budgets(home, clock)
        assert taken(budgets, MINUTE) is expected
        budgets.close()


def test_a_call_of_a_process_that_was_killed_counts_for_its_lease(
    budgets: Budgets, clock: MovedClock
) -> None:
    for _ in range(3):
        assert isinstance(budgets.reserve([MINUTE], []), Reservation)
    clock.sleep(200)
    assert not taken(budgets, MINUTE)
    clock.sleep(41)
    assert taken(budgets, MINUTE)


def test_all_buckets_of_a_call_are_taken_or_none(budgets: Budgets) -> None:
    other = Charge("c", 1, Rolling(60), 1)
    assert taken(budgets, other)
    assert isinstance(budgets.reserve([MINUTE, other], []), NoRoom)
    assert budgets.used(MINUTE) == (0, 3)


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-11-20T07:59:00+00:00", "2026-11-20T08:00:00+00:00"),
        ("2026-11-20T08:00:00+00:00", "2026-11-21T08:00:00+00:00"),
        # The days on which clocks change have 25 and 23 hours.
        ("2026-11-01T08:00:00+00:00", "2026-11-02T08:00:00+00:00"),
        ("2026-03-08T08:00:00+00:00", "2026-03-09T07:00:00+00:00"),
    ],
)
def test_the_day_of_a_project_ends_at_midnight_in_california(now: str, end: str) -> None:
    assert PACIFIC.end(datetime.fromisoformat(now)) == datetime.fromisoformat(end)


def test_units_of_a_day_are_counted_until_it_ends(budgets: Budgets, clock: MovedClock) -> None:
    day = Charge("d", 100, PACIFIC, 50)
    assert taken(budgets, day)
    assert taken(budgets, day)
    full = budgets.reserve([day], [])
    assert isinstance(full, NoRoom)
    assert (full.is_quota, full.until) == (True, datetime(2026, 11, 21, 8, tzinfo=UTC).timestamp())
    clock.now = datetime(2026, 11, 21, 8, tzinfo=UTC)
    assert taken(budgets, day)


def test_a_call_over_midnight_counts_for_both_days(budgets: Budgets, clock: MovedClock) -> None:
    day = Charge("d", 1, CalendarDay(), 1)
    clock.now = datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC)
    found = budgets.reserve([day], [])
    assert isinstance(found, Reservation)
    clock.sleep(2)
    budgets.finish(found)
    assert not taken(budgets, day)


def test_money_is_reserved_for_the_most_and_counted_as_it_was(budgets: Budgets) -> None:
    month = Charge("m", 1.0, CalendarMonth(), 0.5, is_money=True)
    for _ in range(20):
        found = budgets.reserve([month], [])
        assert isinstance(found, Reservation)
        budgets.finish(found, 0.025)
    assert budgets.used(month)[0] == pytest.approx(0.5)
    assert isinstance(budgets.reserve([month], []), Reservation)
    assert isinstance(budgets.reserve([month], []), NoRoom)


def test_what_others_use_is_taken_from_headers(budgets: Budgets, clock: MovedClock) -> None:
    charge = Charge("x", 900, Rolling(900), 1)
    assert taken(budgets, charge)
    budgets.correct(charge, 449, 300, 450)
    assert budgets.used(charge) == (449, 450)
    assert taken(budgets, charge)
    assert not taken(budgets, charge)
    # Others used less: their part is corrected, and our own calls are not forgotten.
    budgets.correct(charge, 10, 300, 450)
    assert budgets.used(charge) == (10, 450)
    budgets.correct(charge, 0, 300, 450)
    assert budgets.used(charge) == (2, 450)


PROCESS = """
import sys, time
from resources.settings.home import Home
from social_assets.control.accounts import Account
from social_assets.control.engine import open_engine
from social_assets.ingest.connectors.chain import ChainStart
from social_assets.ingest.connectors.client import ConnectorClient
from social_assets.ingest.connectors.declaration.limits import Limit, Rolling
from social_assets.ingest.connectors.registry import connector_of
from dataclasses import replace

limits = (Limit(10, Rolling(1.0)),)
connector = replace(connector_of("facebook"), limits=limits)
home = Home.from_environment()
ends = time.monotonic() + 2.5
print("ready", flush=True)
with ConnectorClient(connector, home, open_engine(home), patience=5) as client:
    while time.monotonic() < ends:
        list(client.pages(ChainStart(Account("Facebook", "17"), "page")))
"""


def test_two_processes_share_a_limit_and_never_exceed_it(
    collecting: Collecting, server: Replayed
) -> None:
    collecting.credentials.add("Facebook", Tokens("t"), "17")
    times: list[float] = []

    def answer(asked: Asked) -> Given:
        times.append(time.monotonic())
        return Given({"id": "17"})

    server.answer = answer
    started = [subprocess.Popen([sys.executable, "-c", PROCESS], env=os.environ) for _ in range(2)]
    assert [each.wait(60) for each in started] == [0, 0]
    times.sort()
    # Any window of a second holds at most ten calls, and the budget is used.
    assert all(later - first >= 1.0 for first, later in zip(times, times[10:], strict=False))
    assert len(times) >= 12


def test_a_pool_spreads_calls_over_its_credentials(
    collecting: Collecting, server: Replayed
) -> None:
    for name in ("1", "2", "3"):
        collecting.add("X", name)
    reset = int((collecting.clock() + timedelta(minutes=9)).timestamp())
    left = dict.fromkeys(("Bearer token-of-1", "Bearer token-of-2", "Bearer token-of-3"), 2)

    def answer(asked: Asked) -> Given:
        left[asked.headers["authorization"]] -= 1
        headers = {
            "x-rate-limit-limit": "900",
            "x-rate-limit-remaining": str(left[asked.headers["authorization"]]),
            "x-rate-limit-reset": str(reset),
        }
        return Given({"data": {"id": "9"}}, 200, headers)

    server.answer = answer
    for _ in range(6):
        pages, _ = collecting.chain("X", "9", "user")
        assert raw(pages) == [b'{"id": "9"}']
    with pytest.raises(ThrottledError) as stopping:
        collecting.chain("X", "9", "user")
    assert stopping.value.until == collecting.clock() + timedelta(minutes=9, seconds=1)
    assert set(left.values()) == {0}


def test_an_account_with_a_credential_of_its_own_is_asked_with_that(
    collecting: Collecting, server: Replayed
) -> None:
    for name in ("1", "2", "3", "4"):
        collecting.add("X", name)
    server.answer = lambda asked: Given({"data": {"id": "3"}})
    for _ in range(4):
        collecting.chain("X", "3", "user")
    assert {asked.headers["authorization"] for asked in server.asked} == {"Bearer token-of-3"}
    (own,) = [each for each in collecting.credentials.list() if each.name == "3"]
    collecting.credentials.revoke(own.id, "removed")
    # What is public is asked for with others.
    assert raw(collecting.chain("X", "3", "user")[0]) == [b'{"id": "3"}']
    assert server.asked[-1].headers["authorization"] != "Bearer token-of-3"


def test_a_throttled_credential_is_left_out_and_the_others_go_on(
    collecting: Collecting, server: Replayed
) -> None:
    for name in ("1", "2"):
        collecting.add("X", name)

    def answer(asked: Asked) -> Given:
        if asked.headers["authorization"].endswith("1"):
            return Given({"title": "Too Many Requests"}, 429)
        return Given({"data": {"id": "9"}})

    server.answer = answer
    for _ in range(5):
        collecting.chain("X", "9", "user")
    assert sum(asked.headers["authorization"].endswith("1") for asked in server.asked) <= 1


def test_money_of_a_day_stops_collection_from_x_and_names_the_setting(
    collecting: Collecting, server: Replayed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOCIAL_ASSETS_X_DOLLARS_A_DAY", "0.51")
    collecting.add("X", "17")
    server.answer = lambda asked: Given({"data": [{"id": "1"}, {"id": "2"}], "meta": {}})
    # A call reserves 100 records, half a dollar; two records cost a cent.
    collecting.chain("X", "17", "posts")
    collecting.chain("X", "17", "posts")
    with pytest.raises(QuotaExhaustedError, match=r"0.02 of 0.51 are used \(US dollars\)") as stop:
        collecting.chain("X", "17", "posts")
    assert stop.value.until == datetime(2026, 11, 21, tzinfo=UTC)
    assert len(server.asked) == 2


def test_percents_of_meta_leave_room_for_what_others_use(
    collecting: Collecting, server: Replayed
) -> None:
    collecting.add("Facebook", "17")
    percents = iter((99, 100))

    def answer(asked: Asked) -> Given:
        usage = {"call_count": next(percents), "total_time": 25, "total_cputime": 25}
        return Given({"id": "17"}, 200, {"x-app-usage": json.dumps(usage)})

    server.answer = answer
    collecting.chain("Facebook", "17", "page")
    collecting.chain("Facebook", "17", "page")
    with pytest.raises(ThrottledError):
        collecting.chain("Facebook", "17", "page")
    assert len(server.asked) == 2
