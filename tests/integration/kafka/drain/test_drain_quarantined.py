"""A micro-batch that cannot be validated is quarantined whole, and the drain continues."""

from __future__ import annotations

import dataclasses
import json
from datetime import date

import pytest

from social_assets.pipeline.quarantined_batches import quarantined
from social_assets.pipeline.stream_work import rebuild
from social_assets.pipeline.topics import drain as drain_module
from tests.integration.kafka.drain.drain_bed import Bed, Counts, Stream

pytestmark = pytest.mark.kafka

TOO_LITTLE = "80MB"
"""Of engine memory for a record of WIDE bytes, and twice as much as others need."""
WIDE = 12_000_000
MOST_BYTES = 16_000_000


def post(number: int, width: int = 10) -> bytes:
    said = {"post_id": f"p{number}", "account_id": 1, "platform": "X", "media_type": "text"}
    return json.dumps({**said, "content": "1." + "x" * width}).encode()


def wide_stream(bed: Bed) -> Stream:
    """A stream of posts whose records may have MOST_BYTES."""
    stream = bed.stream("posts", partitions=1, max_message_bytes=str(MOST_BYTES))
    contract = dataclasses.replace(stream.stores.contract, max_record_bytes=MOST_BYTES)
    return Stream(stream.kafka, stream.stores.stores.of(contract))


def send(stream: Stream, records: list[bytes]) -> None:
    stream.send(records, message_max_bytes=MOST_BYTES)


def with_memory(stream: Stream, memory: str) -> Stream:
    engine = dataclasses.replace(stream.stores.engine, memory_limit=memory)
    stores = dataclasses.replace(stream.stores.stores, engine=engine)
    return Stream(stream.kafka, dataclasses.replace(stream.stores, stores=stores))


def days(stream: Stream) -> list[date]:
    return sorted(stream.stores.raw.rows_by_day())


def rows(stream: Stream) -> tuple[int, int, int]:
    """Rows in raw, in cleaned, in the warehouse."""
    stores = stream.stores
    counted = (stores.raw.rows_by_day(), stores.cleaned.rows_by_day(), stores.loader.rows_by_day())
    raw, cleaned, loaded = (sum(each.values()) for each in counted)
    return raw, cleaned, loaded


def test_a_topic_goes_on_behind_a_record_that_the_engine_has_no_memory_for(bed: Bed) -> None:
    stream = wide_stream(bed)
    small = with_memory(stream, TOO_LITTLE)
    send(stream, [post(n) for n in range(3)])
    small.drain()
    send(stream, [post(3), post(4, WIDE)])
    small.drain()
    send(stream, [post(n) for n in range(5, 8)])
    small.drain()
    assert rows(stream) == (8, 6, 6)
    (batch,) = quarantined(stream.stores).values()
    assert batch.origin == stream.topic
    for part in (stream.topic, "offset 4", "no memory for this record", "raise SOCIAL_ASSETS"):
        assert part in batch.reason
    small.drain()
    assert rows(stream) == (8, 6, 6)


def test_a_rebuild_takes_a_quarantined_micro_batch_in(bed: Bed) -> None:
    stream = wide_stream(bed)
    send(stream, [post(1), post(2, WIDE)])
    with_memory(stream, TOO_LITTLE).drain()
    assert quarantined(stream.stores)
    rebuild(stream.stores, days(stream))
    assert not quarantined(stream.stores)
    assert stream.counts() == Counts(2, 2)
    send(stream, [post(2), post(3)])
    stream.drain()
    assert stream.counts() == Counts(4, 3, duplicates=1)


@pytest.mark.parametrize("step", ["_enter_quarantined", "clean"])
def test_a_drain_that_ends_while_it_quarantines_is_completed_by_the_next(
    bed: Bed, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    stream = wide_stream(bed)
    small = with_memory(stream, TOO_LITTLE)
    send(stream, [post(1), post(2, WIDE)])
    with monkeypatch.context() as patched:
        _ends_at(patched, step)
        with pytest.raises(KeyboardInterrupt):
            small.drain()
    send(stream, [post(3)])
    small.drain()
    assert rows(stream) == (3, 1, 1)
    assert len(quarantined(stream.stores)) == 1
    rebuild(stream.stores, days(stream))
    assert stream.counts() == Counts(3, 3)
    stream.drain()
    assert stream.counts() == Counts(3, 3)


def test_a_landed_micro_batch_that_can_no_longer_be_validated_does_not_stop_the_topic(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = wide_stream(bed)
    send(stream, [post(1), post(2, WIDE)])
    with monkeypatch.context() as patched:
        _ends_at(patched, "clean")
        with pytest.raises(KeyboardInterrupt):
            stream.drain()
    send(stream, [post(3)])
    with_memory(stream, TOO_LITTLE).drain()
    assert rows(stream) == (3, 1, 1)
    assert len(quarantined(stream.stores)) == 1
    rebuild(stream.stores, days(stream))
    assert not quarantined(stream.stores)
    assert stream.counts() == Counts(3, 3)
    stream.drain()
    assert stream.counts() == Counts(3, 3)


def _ends_at(patched: pytest.MonkeyPatch, step: str) -> None:
    def ends(*_: object) -> None:
        raise KeyboardInterrupt

    where = drain_module._Course if step.startswith("_") else drain_module
    patched.setattr(where, step, ends)
