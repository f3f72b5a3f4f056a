"""Of the records of one key and date, the first that landed is accepted, in whatever order they are
read.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from social_assets.contracts.registry import contract
from social_assets.transform.duckdb_engine import Session
from social_assets.transform.first_landed import FirstLanded
from social_assets.transform.landed_keys import KEY_HASH, KEY_HASH_TYPE
from social_assets.transform.validate_block import BlockValidator
from tests.integration.transform.raw_records import raw_table

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAYS = [date(2026, 1, 1), date(2026, 1, 2)]

RECORDS = st.lists(
    st.tuples(
        st.integers(0, 3),  # minutes after noon
        st.sampled_from(["a", "b", "kafka/t"]),
        st.integers(0, 1),  # partition
        st.integers(0, 40),  # offset
        st.sampled_from(DAYS),
        st.integers(0, 5),  # key
    ),
    max_size=40,
    unique_by=lambda record: record[:4],
)


def accepted(records: list[tuple[int, str, int, int, date, int]]) -> pa.Table:
    return pa.table(
        {
            "ingested_at": pa.array(
                [NOON + timedelta(minutes=r[0]) for r in records], pa.timestamp("us", tz="UTC")
            ),
            "batch_id": pa.array([r[1] for r in records], pa.string()),
            "partition": pa.array([r[2] for r in records], pa.int32()),
            "offset": pa.array([r[3] for r in records], pa.int64()),
            "event_date": pa.array([r[4] for r in records], pa.date32()),
            KEY_HASH: pa.array([Decimal(r[5]) for r in records], KEY_HASH_TYPE),
        }
    )


@given(RECORDS, st.integers(1, 7))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_all_but_the_first_landed_record_of_a_key_and_date_are_duplicates(
    session: Session, records: list[tuple[int, str, int, int, date, int]], size: int
) -> None:
    keys = FirstLanded(session)
    for start in range(0, len(records), size):
        keys.add(accepted(records[start : start + size]))
    repeated = keys.repeated()

    first: dict[tuple[date, int], tuple[int, str, int, int]] = {}
    for record in sorted(records):
        first.setdefault(record[4:], record[:4])
    expected = [first[record[4:]] != record[:4] for record in records]
    assert repeated.flags.tolist() == expected
    again = [r for r, is_repeated in zip(records, expected, strict=True) if is_repeated]
    assert repeated.counts == Counter((r[1], r[4]) for r in again)


def test_a_key_that_landed_before_makes_all_its_records_of_that_date_duplicates(
    session: Session,
) -> None:
    stream = contract("live_streaming")
    landed = session.rows(pa.table({"event_date": [DAYS[0]], "event_id": [7]}))
    block = raw_table([b'{"event_id": 7}', b'{"event_id": 7}', b'{"event_id": 8}'], None, "file")
    hashes = BlockValidator(session, stream).of(block)[KEY_HASH]
    records = accepted([(0, "a", 0, n, day, 0) for n, day in enumerate([*DAYS, DAYS[0]])])
    keys = FirstLanded(session)
    keys.add(records.set_column(records.column_names.index(KEY_HASH), KEY_HASH, hashes))
    keys.add_landed(landed, stream)
    assert keys.repeated().flags.tolist() == [True, False, False]
