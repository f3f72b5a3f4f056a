"""Values that JSON says in unusual ways come through a topic as they come through a file.

The records stand for kinds of input that products get wrong: ids as decimals, a key twice, an empty
text under one spelling, NaN, an object in the place of an id, an impossible offset.
"""

from __future__ import annotations

import pytest

from tests.integration.kafka.drain.drain_bed import NOON, Bed

pytestmark = pytest.mark.kafka

AT = NOON.isoformat()
OTHERS = f'"event_time": "{AT}", "platform": "X", "post_id": "p1", "metric_type": "like"'

ACCEPTED = {
    '"event_id": "digits", "account_id": 570306000000000001.0, "user_id": 12345.0, "value": 1': (
        "digits",
        "570306000000000001",
        "12345",
        1.0,
    ),
    '"event_id": "twice", "account_id": 5, "user_id": "7", "value": 2, "value": 9': (
        "twice",
        "5",
        "7",
        9.0,
    ),
    '"event_id": "spelling", "account_id": 5, "user_id": "", "userId": "42", "value": 1': (
        "spelling",
        "5",
        "42",
        1.0,
    ),
    '"event_id": "no user", "account_id": 5, "user_id": NaN, "value": 1': (
        "no user",
        "5",
        "Unknown",
        1.0,
    ),
    '"event_id": "large", "account_id": 5, "user_id": "7", "value": 1e308': (
        "large",
        "5",
        "7",
        1e308,
    ),
}

REJECTED = {
    '{"event_id": NaN, "account_id": 5, "user_id": "7", "value": 1, ' + OTHERS + "}": (
        "event_id_missing"
    ),
    '{"event_id": "object", "account_id": 5, "user_id": {"$numberLong": "1"}, "value": 1, '
    + OTHERS
    + "}": "user_id_not_text",
    '{"event_id": "offset", "account_id": 5, "user_id": "7", "value": 1, '
    + OTHERS.replace(AT, f"{NOON:%Y-%m-%dT%H:%M:%S}+99:99")
    + "}": "event_time_not_timestamp",
}


def test_unusual_values_of_a_topic_are_stored_exactly_or_rejected(bed: Bed) -> None:
    stream = bed.stream(partitions=1)
    accepted = [f"{{{fields}, {OTHERS}}}" for fields in ACCEPTED]
    stream.send([text.encode() for text in [*accepted, *REJECTED]])
    stream.drain()
    rows = stream.stores.cleaned.read().sort_by("offset")
    columns = ("event_id", "account_id", "user_id", "value")
    stored = list(zip(*(rows[name].to_pylist() for name in columns), strict=True))
    assert stored == list(ACCEPTED.values())
    assert dict(stream.reasons()) == dict.fromkeys(REJECTED.values(), 1)
    names = ", ".join(f"toString({name})" for name in columns[:3])
    ids = ", ".join(f"'{fields[0]}'" for fields in ACCEPTED.values())
    in_warehouse = bed.ask(
        f"SELECT {names}, value FROM cleaned.engagement_events WHERE event_id IN ({ids}) "
        f'ORDER BY "offset"'
    )
    assert in_warehouse == list(ACCEPTED.values())
