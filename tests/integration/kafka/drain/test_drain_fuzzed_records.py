"""Broken records of every kind pass the drain without a failure, and each is accounted for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from social_assets.demo.samples.fuzzed_records import fuzzed_records
from social_assets.pipeline.stream_work import rebuild
from tests.integration.kafka.drain.drain_bed import Bed

pytestmark = pytest.mark.kafka

RECORDS, SEED = 20_000, 2026


def test_fuzzed_records_fail_no_drain_are_all_accounted_for_and_rebuilt_alike(bed: Bed) -> None:
    stream = bed.stream(partitions=2)
    now = datetime.now(UTC)
    values = list(fuzzed_records(RECORDS, seed=SEED, now=now))
    stream.send(values)
    stream.drain(max_records=RECORDS // 20, seconds=250)
    found = stream.counts()
    assert found.raw == RECORDS
    assert min(found.cleaned, found.rejected) > RECORDS // 4
    assert found.duplicates > RECORDS // 100
    assert bed.ask("SELECT count() FROM star.fact_engagement") == [(found.cleaned,)]
    assert {
        "record_not_utf8",
        "record_not_json_object",
        "event_id_missing",
        "event_time_not_timestamp",
        "event_time_too_late",
        "value_not_number",
        "account_id_not_text",
        "metric_type_isin",
    } <= stream.reasons().keys()
    once = stream.lake()
    rebuild(stream.stores, sorted(stream.stores.raw.rows_by_day()))
    assert stream.lake() == once
