"""A topic through every hop: all of it, once, in any order, and as a backfill would have it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from drain_bed import NOON, YESTERDAY, Bed, Counts, event, events

pytestmark = pytest.mark.kafka


def test_a_drain_takes_everything_once_and_again_changes_nothing(bed: Bed) -> None:
    stream = bed.stream()
    stream.send(events(range(1_000)))
    assert stream.drain() == {YESTERDAY}
    assert stream.counts() == Counts(1_000, 1_000)
    assert bed.ask("SELECT count(), sum(value) FROM star.fact_engagement") == [
        (1_000, sum(n % 7 for n in range(1_000)))
    ]
    once, warehouse = stream.lake(), bed.warehouse()
    assert stream.drain() == set()
    assert (stream.lake(), bed.warehouse()) == (once, warehouse)


def test_a_key_is_taken_once_a_date_whatever_micro_batch_and_partition_it_comes_in(
    bed: Bed,
) -> None:
    stream = bed.stream(partitions=3)
    day = timedelta(days=1)
    stream.send(events([*range(300), *range(300)]))
    stream.send(events(range(300), NOON - day))
    stream.send([event(n, NOON - 2 * day) for n in range(0, 300, 3)])
    stream.drain(max_records=70)
    stream.send(events(range(150, 450)))
    stream.drain(max_records=70)
    assert stream.counts() == Counts(1_300, 850, duplicates=450)
