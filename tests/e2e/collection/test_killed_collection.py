"""Days of collection with faults and kills: what is cleaned is what the server holds, and once.

By environment variables it is as large as `python -m bench.collection.killed_days`, which measures
it too.
"""

from __future__ import annotations

import os

import pytest

from bench.collection.held_rows import STREAMS
from bench.collection.killed_days import Outcome, Size, collect_killed
from resources.settings.home import Home

pytestmark = [pytest.mark.endurance, pytest.mark.timeout(7200)]

SIZE = Size(
    accounts=int(os.environ.get("COLLECTED_ACCOUNTS", "10")),
    days=int(os.environ.get("COLLECTED_DAYS", "1")),
    faults=float(os.environ.get("COLLECTION_FAULTS", "0.1")),
    kills=int(os.environ.get("COLLECTION_KILLS", "3")),
    collections_a_day=int(os.environ.get("COLLECTIONS_A_DAY", "1")),
)


@pytest.fixture(scope="module")
def outcome(home: Home) -> Outcome:
    return collect_killed(SIZE, home)


def test_workers_were_killed_and_calls_met_faults(outcome: Outcome) -> None:
    assert outcome.kills > SIZE.kills // 2, "the others had collected all before"
    assert outcome.faults.total() > outcome.calls * SIZE.faults / 2


def test_what_is_cleaned_is_what_the_server_holds(outcome: Outcome) -> None:
    assert outcome.differences == []
    assert min(outcome.rows[stream] for stream in STREAMS) > 0


def test_no_row_is_doubled(outcome: Outcome) -> None:
    assert outcome.doubled == []


def test_no_platform_had_to_refuse_a_call_beyond_its_limit(outcome: Outcome) -> None:
    assert outcome.excesses == []


def test_no_file_holds_a_token(outcome: Outcome) -> None:
    assert outcome.leaks == []
