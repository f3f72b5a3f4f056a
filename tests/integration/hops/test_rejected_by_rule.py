"""What the checks of a contract read: how many records each rule rejected, of which days."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from social_assets.checks.contract_rules import broken_rules
from social_assets.hops.ingest import ingest_files
from social_assets.hops.stores import StreamStores

FIRST, SECOND = date(2026, 1, 1), date(2026, 1, 2)
METRIC, VALUE = "metric_type_isin", "value_greater_than_or_equal_to"


def event(number: int, day: date, metric: str = "like", value: int = 1) -> str:
    named = {"event_id": f"e{number}", "event_time": f"{day}T12:00:00Z", "account_id": 1}
    return json.dumps(named | {"metric_type": metric, "value": value}) + "\n"


@pytest.fixture
def events(stream: Callable[[str], StreamStores], tmp_path: Path) -> StreamStores:
    """Of the first day one record in four is bad, for two reasons; of the second, one in two."""
    found = stream("engagement_events")
    lines = [event(n, FIRST) for n in range(3)] + [event(3, FIRST, "sigh", -1)]
    lines += [event(4, SECOND), event(5, SECOND, "sigh"), event(4, SECOND), event(5, SECOND)]
    lines += [event(6, SECOND, "yawn")]
    path = tmp_path / "events.ndjson"
    path.write_text("".join(lines))
    ingest_files(found, [path])
    return found


def test_each_reason_of_a_record_counts_for_its_rule_as_a_share_of_the_days_raw_records(
    events: StreamStores,
) -> None:
    found = broken_rules(events, None)
    assert {rule: (b.records, b.worst_day, b.worst_share) for rule, b in found.items()} == {
        METRIC: (3, SECOND, 0.4),
        VALUE: (1, FIRST, 0.25),
    }


def test_only_the_days_asked_for_count(events: StreamStores) -> None:
    assert {rule: b.records for rule, b in broken_rules(events, [FIRST]).items()} == {
        METRIC: 1,
        VALUE: 1,
    }


def test_the_sample_shows_the_record_and_where_it_came_from(events: StreamStores) -> None:
    (sample,) = broken_rules(events, [FIRST])[VALUE].sample
    assert (sample.data["origin"], sample.data["row"]) == ("events.ndjson", 4)
    assert json.loads(str(sample.data["record"]))["event_id"] == "e3"
