"""Standardized values for all spellings; the engine accepts or rejects any bytes."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from social_assets.contracts.registry import contract
from social_assets.transform.decode import csv_header
from tests.integration.transform.raw_records import Validate

VIDEO = contract("video_interactions")
EVENTS = contract("engagement_events")
POSTS = contract("posts")

GOOD_VIDEO = {"user_id": 1, "video_id": 2, "age": 30}
GOOD_EVENT = {"event_id": "e", "event_time": "2026-01-01", "account_id": 1} | {
    "metric_type": "like",
    "value": 1,
}
Rows = list[dict[str, Any]]
RELAXED = settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def as_json(*records: object) -> list[bytes]:
    return [json.dumps(record).encode() for record in records]


@pytest.mark.parametrize(
    "spelling",
    [
        "Total Time Spent",
        "TotalTimeSpent",
        "total_time_spent",
        "TOTAL-TIME-SPENT",
        "$total.timeSpent",
    ],
)
def test_a_column_is_found_in_any_spelling(validate: Validate, spelling: str) -> None:
    (row,) = validate(VIDEO, as_json(GOOD_VIDEO | {spelling: "12.5"}))
    assert row["total_time_spent"] == 12.5


def test_a_spelling_met_late_in_a_large_batch_is_found_too(validate: Validate) -> None:
    records = [GOOD_VIDEO] * 3_000 + [GOOD_VIDEO | {'Owns~/"Property': "YES"}]
    assert validate(VIDEO, as_json(*records))[-1]["owns_property"] is True


def test_keys_that_differ_in_case_alone_do_not_collide(validate: Validate) -> None:
    rows = validate(VIDEO, as_json(GOOD_VIDEO | {"OS": "iOS"}, GOOD_VIDEO | {"os": "a", "OS": "b"}))
    assert [row["os"] for row in rows] == ["iOS", "a"]


VALUES: list[tuple[str, object, object]] = [
    ("debt", "TRUE", True),
    ("debt", True, True),
    ("debt", "YES", True),
    ("debt", 1, True),
    ("debt", "0.0", False),
    ("debt", None, False),
    ("watch_time", "9:00 PM", "21:00:00"),
    ("watch_time", "21:00", "21:00:00"),
    ("watch_time", "17:26:59", "17:26:59"),
    ("watch_time", None, None),
    ("gender", " m ", "Male"),
    ("gender", "FEMALE", "Female"),
    ("gender", "nonbinary", "Other"),
    ("gender", "N/A", "Unknown"),
    ("platform", "tik tok", "TikTok"),
    ("platform", "Twitter", "X"),
    ("platform", "MySpace", "Other"),
    ("age", "30.0", 30),
    ("location", "\u00a0Rio \u2003", "Rio"),
    ("location", "", "Unknown"),
    ("location", "a\u0000b", "a\u0000b"),
    ("income", " 1e3 ", 1000.0),
    ("income", None, 0.0),
]


@pytest.fixture(scope="module")
def validated_values(validate: Validate) -> Rows:
    return validate(VIDEO, as_json(*(GOOD_VIDEO | {column: value} for column, value, _ in VALUES)))


@pytest.mark.parametrize("number", range(len(VALUES)), ids=map(str, VALUES))
def test_a_value_becomes_what_the_contract_says(validated_values: Rows, number: int) -> None:
    (column, _, stored), row = VALUES[number], validated_values[number]
    assert row["reasons"] == []
    assert row[column] == stored


TIMES: list[tuple[object, str]] = [
    ("2026-01-01T10:00:00Z", "2026-01-01T10:00:00"),
    ("2026-01-01 10:00:00", "2026-01-01T10:00:00"),
    ("2026-01-01T00:30:00+02:00", "2025-12-31T22:30:00"),
    ("2026-01-01T10:00:00.123456Z", "2026-01-01T10:00:00.123456"),
    ("2026-01-01", "2026-01-01T00:00:00"),
    (1767225600, "2026-01-01T00:00:00"),
    (1767225600123, "2026-01-01T00:00:00.123"),
]


@pytest.fixture(scope="module")
def validated_times(validate: Validate) -> Rows:
    return validate(
        EVENTS, as_json(*(GOOD_EVENT | {"event_time": written} for written, _ in TIMES))
    )


@pytest.mark.parametrize("number", range(len(TIMES)), ids=map(str, TIMES))
def test_a_time_is_read_as_utc(validated_times: Rows, number: int) -> None:
    (_, happened), row = TIMES[number], validated_times[number]
    assert row["reasons"] == []
    assert row["event_time"] == datetime.fromisoformat(happened)


@pytest.mark.parametrize(
    "written", ["infinity", "0044-03-15 (BC)", "2026-02-30", "-999999999", "9" * 30]
)
def test_a_time_that_cannot_be_meant_is_none(validate: Validate, written: str) -> None:
    (row,) = validate(EVENTS, as_json(GOOD_EVENT | {"event_time": written}))
    assert row["reasons"] == ["event_time_not_timestamp"]


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ('"value": NaN', "value_missing"),
        ('"value": Infinity', "value_not_number"),
        ('"value": 1e999', "value_not_number"),
        ('"value": {"a": 1}', "value_not_number"),
    ],
)
def test_a_number_that_is_none_rejects_the_record(
    validate: Validate, written: str, reason: str
) -> None:
    rest = {k: v for k, v in GOOD_EVENT.items() if not written.startswith(f'"{k}"')}
    value = json.dumps(rest)[:-1] + f", {written}}}"
    assert validate(EVENTS, [value.encode()])[0]["reasons"] == [reason]


def test_a_record_is_given_every_reason_not_only_the_first(validate: Validate) -> None:
    (row,) = validate(EVENTS, as_json({"account_id": [1], "value": -1, "metric_type": "stare"}))
    assert set(row["reasons"]) == {
        "event_id_missing",
        "event_time_missing",
        "account_id_not_text",
        "metric_type_isin",
        "value_greater_than_or_equal_to",
    }


def test_lists_of_strings_are_read_from_json(validate: Validate) -> None:
    good = {"post_id": "p", "account_id": 1}
    rows = validate(POSTS, as_json(good | {"tags": ["a", 'b"c']}, good | {"tags": None}))
    assert [row["tags"] for row in rows] == [["a", 'b"c'], None]


def test_a_csv_field_keeps_its_line_breaks(validate: Validate) -> None:
    record = b'91,30,94,"Cook\nand ""baker"", both" '
    (row,) = validate(VIDEO, [record], "user_id,age,video_id,profession")
    assert row["profession"] == 'Cook\nand "baker", both'
    assert row["reasons"] == []


@pytest.mark.parametrize("half", [b'91,30,94,"Cook', b'91,30,94,"Cook" and baker', b'"91,30,94,x'])
def test_half_a_csv_record_is_never_accepted(validate: Validate, half: bytes) -> None:
    (row,) = validate(VIDEO, [half], "user_id,age,video_id,profession")
    assert "record_quote_not_closed" in row["reasons"]


def test_csv_fields_may_be_quoted_and_hold_commas_and_quotes(validate: Validate) -> None:
    header = "Age,User ID,video_id,Location,Profession"
    rows = validate(VIDEO, [b'30,1,2,"Rio, Brazil","a ""b"""', b'"31",1,2,,"a"b'], header)
    assert [(r["age"], r["location"], r["profession"]) for r in rows] == [
        (30, "Rio, Brazil", 'a "b"'),
        (31, "Unknown", '"a"b'),
    ]


def test_of_two_spellings_in_one_header_the_first_is_read_first() -> None:
    assert csv_header(VIDEO, "UserID,user_id,x").positions["user_id"] == ((0, None), (1, None))


@given(st.lists(st.binary(max_size=80), max_size=60))
@RELAXED
def test_any_bytes_are_validated_and_none_is_lost(validate: Validate, values: list[bytes]) -> None:
    rows = validate(EVENTS, values)
    assert [row["offset"] for row in rows] == list(range(1, len(values) + 1))
    assert all(row["reasons"] for row in rows)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(
    st.lists(st.dictionaries(st.sampled_from(sorted(GOOD_EVENT)) | st.text(), JSON), max_size=20)
)
@RELAXED
def test_any_json_object_is_accepted_whole_or_rejected(
    validate: Validate, records: list[dict[str, object]]
) -> None:
    rows = validate(EVENTS, as_json(*records))
    assert len(rows) == len(records)
    for row in rows:
        assert row["reasons"] or all(row[name] is not None for name in EVENTS.required)


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=25))
@RELAXED
def test_any_csv_line_is_validated(validate: Validate, lines: list[bytes]) -> None:
    rows = validate(VIDEO, lines, "user_id,video_id,age,location")
    assert [row["offset"] for row in rows] == list(range(1, len(lines) + 1))
    assert all(row["reasons"] or row["user_id"] > 0 for row in rows)
