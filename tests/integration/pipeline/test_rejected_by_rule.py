"""Counts of rejected records by rule and day, which the checks of a contract read."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from social_assets.defs.ingestion.checks.rule_results import broken_rules
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import ingest_files, rebuild
from social_assets.quality import rejected_counts

FIRST, SECOND = date(2026, 1, 1), date(2026, 1, 2)
METRIC, VALUE = "metric_type_isin", "value_greater_than_or_equal_to"


def event(number: int, day: date, metric: str = "like", value: int = 1) -> str:
    named = {"event_id": f"e{number}", "event_time": f"{day}T12:00:00Z", "account_id": 1}
    return json.dumps(named | {"metric_type": metric, "value": value}) + "\n"


@pytest.fixture
def events(stream: Callable[[str], StreamStores], tmp_path: Path) -> StreamStores:
    """On the first day one record of four is bad, for two reasons; on the second, one of two."""
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
    found = broken_rules(events)
    assert {rule: (b.records, b.worst_day, b.worst_share) for rule, b in found.items()} == {
        METRIC: (3, SECOND, 0.4),
        VALUE: (1, FIRST, 0.25),
    }


def test_the_sample_shows_the_record_and_where_it_came_from(events: StreamStores) -> None:
    (sample,) = broken_rules(events)[VALUE].sample
    assert (sample.data["origin"], sample.data["row"]) == ("events.ndjson", 4)
    assert json.loads(str(sample.data["record"]))["event_id"] == "e3"


def test_an_empty_rebuild_or_one_of_another_day_leaves_the_results_of_a_bad_day(
    events: StreamStores,
) -> None:
    before = broken_rules(events)
    rebuild(events, [date(2030, 1, 1), date(2030, 1, 2)])
    rebuild(events, [FIRST])
    after = broken_rules(events)
    assert {rule: (b.records, b.worst_day) for rule, b in after.items()} == {
        rule: (b.records, b.worst_day) for rule, b in before.items()
    }


def test_rejected_records_of_a_day_that_is_gone_no_longer_count(events: StreamStores) -> None:
    broken_rules(events)
    events.quarantine.replace(
        [SECOND], pa.RecordBatchReader.from_batches(events.quarantine.schema, [])
    )
    assert {rule: b.records for rule, b in broken_rules(events).items()} == {METRIC: 1, VALUE: 1}


def test_only_new_files_are_counted_and_a_lost_store_is_made_anew(
    events: StreamStores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    count = rejected_counts._count
    monkeypatch.setattr(
        rejected_counts, "_count", lambda of, files: read.append(len(files)) or count(of, files)
    )
    first, second = broken_rules(events), broken_rules(events)
    for store in (tmp_path / "locks").glob("rejected_counts.sqlite*"):
        store.unlink()
    third = broken_rules(events)
    files = len(events.quarantine.files())
    assert read == [files, 0, files]
    assert first == second == third
