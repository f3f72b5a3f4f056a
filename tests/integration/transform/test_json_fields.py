"""A field of a JSON object is what JSON says that it is, to the last digit."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from social_assets.contracts.contract import HashOfRecord
from social_assets.contracts.registry import contract
from tests.integration.transform.raw_records import Validate
from tests.integration.transform.values.streams import read_json, stream_of

EVENTS = contract("engagement_events")
TEXT = stream_of(str)
INTEGER = stream_of(int)
RELAXED = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

TEXTS = {
    "12345.0": "12345",
    '"12345.0"': "12345.0",
    "570306000000000001.0": "570306000000000001",
    "570306000000000001": "570306000000000001",
    "9223372036854775808123": "9223372036854775808123",
    "4.5": "4.5",
    "570306000000000001.25": "570306000000000001.25",
    "5.70306e17": "570306000000000000",
    "007": ["record_not_json_object"],
    '"007"': "007",
    "true": "true",
    "NaN": None,
    '"NaN"': "NaN",
    "Infinity": None,
    "-Infinity": None,
    '"Infinity"': "Infinity",
    "null": None,
    '" "': None,
    '" padded "': "padded",
    '"padded  "': "padded",
    '"x\\u00a0"': "x",
    '"\\u3000\\u00e9 y\\u2003"': "é y",
    '"\\u00e9"': "é",
    '"\\tx\\n"': "\tx\n",
    '{"$numberLong": "12345"}': ["value_not_text"],
    '["a"]': ["value_not_text"],
    "{}": ["value_not_text"],
    '"{\\"a\\": 1}"': '{"a": 1}',
    '"[Official Video]"': "[Official Video]",
    '"1.2 \\u00e9 \\"x\\""': '1.2 é "x"',
}
INTEGERS = {
    "570306000000000001.0": 570306000000000001,
    "9223372036854775807.0": 9223372036854775807,
    "9223372036854775808.0": ["value_not_integer"],
    "570306000000000001.5": ["value_not_integer"],
    '"570306000000000001"': 570306000000000001,
    "-570306000000000001.0": -570306000000000001,
    "12345.0": 12345,
    "1e3": 1000,
    '{"a": 1}': ["value_not_integer"],
}


@pytest.mark.parametrize(("stream", "expected"), [(TEXT, TEXTS), (INTEGER, INTEGERS)])
def test_a_field_is_what_json_says(
    validate: Validate, stream: object, expected: dict[str, object]
) -> None:
    assert dict(zip(expected, read_json(validate, stream, expected), strict=True)) == expected


@given(st.lists(st.decimals(places=3, min_value=-(10**18), max_value=10**18), max_size=30))
@RELAXED
def test_no_digit_of_a_number_in_json_is_lost(validate: Validate, numbers: list[Decimal]) -> None:
    read = read_json(validate, TEXT, [f"{number:.3f}" for number in numbers])
    assert [Decimal(text) for text in read] == numbers


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=30), st.sampled_from(["", ".0", ".00"]))
@RELAXED
def test_an_integer_goes_through_no_double(
    validate: Validate, numbers: list[int], end: str
) -> None:
    written = [f"{number}{end}" for number in numbers]
    assert read_json(validate, INTEGER, written) == numbers
    assert read_json(validate, TEXT, written) == [str(number) for number in numbers]


@given(st.lists(st.text(min_size=1).map(str.strip).filter(bool), max_size=30))
@RELAXED
def test_any_text_stays_what_it_is(validate: Validate, texts: list[str]) -> None:
    assert read_json(validate, TEXT, map(json.dumps, texts)) == texts


EVENT = {"event_id": "e", "event_time": "2026-01-01", "account_id": 1} | {
    "metric_type": "like",
    "value": 1,
}


@pytest.mark.parametrize("empty", ['""', '" "', "null", "NaN", '{"$oid": "1"}'])
def test_an_empty_spelling_lets_another_one_speak(validate: Validate, empty: str) -> None:
    record = json.dumps(EVENT)[:-1] + f', "user_id": {empty}, "userId": "42"}}'
    (row,) = validate(EVENTS, [record.encode()])
    assert (row["user_id"], row["reasons"]) == ("42", [])


def test_an_id_that_is_nan_is_missing_and_never_a_duplicate(validate: Validate) -> None:
    records = [json.dumps(EVENT).replace('"e"', "NaN").encode()] * 2
    assert [row["reasons"] for row in validate(EVENTS, records)] == [["event_id_missing"]] * 2


def test_a_nested_object_in_a_required_text_is_rejected_for_that_alone(validate: Validate) -> None:
    (row,) = validate(EVENTS, [json.dumps(EVENT | {"event_id": {"$oid": "1"}}).encode()])
    assert row["reasons"] == ["event_id_not_text"]


def test_a_long_decimal_is_exact_under_any_key(validate: Validate) -> None:
    record = json.dumps(EVENT).replace('"account_id": 1', '"A/c~count\\"ID": 570306000000000001.0')
    (row,) = validate(EVENTS, [record.encode()])
    assert (row["account_id"], row["reasons"]) == ("570306000000000001", [])


def test_a_long_decimal_is_exact_in_nested_objects_and_lists(validate: Validate) -> None:
    stream = stream_of(str, {"source": ("user.ids.1", "account/of.id")})
    ids = ('{"user": {"ids": [1, 570306000000000001.0]}}', '{"account/of": {"id": 5.25}}')
    rows = validate(stream, [f'{{"id": 1, {each[1:]}'.encode() for each in ids])
    assert [row["value"] for row in rows] == ["570306000000000001", "5.25"]


def test_of_a_repeated_key_the_last_value_counts(validate: Validate) -> None:
    stream = stream_of(str, {"source": ("value", "a.b", "c.0.d")}, critical=("value",))
    records = [
        b'{"id": 1, "value": 2, "value": 9, "x": {"y": 1, "y": 2}}',
        b'{"value": "a \\"b\\"", "id": 1, "value": "c, \\"d\\"", "id": 3}',
        b'{"id": 1, "a": {"b": "x"}, "a": {"b": "y"}}',
        b'{"id": 1, "a": {"b": "x", "b": "z"}}',
        b'{"id": 1, "value": "x", "value": null}',
        b'{"id": 1, "value": "once", "more": [1, 2]}',
        b'{"id": 2, "value": 1, "value": 570306000000000001.0}',
        b'{"id": 2, "value": "NaN", "value": NaN, "a": {"b": 7}}',
        '{"id": 1, "value": "café", "value": "caf\u00e9\\ud83d\\ude00"}'.encode(),
    ]
    rows = validate(stream, records)
    assert [(row["id"], row["value"]) for row in rows] == [
        *((1, "9"), (3, 'c, "d"'), (1, "y"), (1, "z"), (1, None), (1, "once")),
        *((2, "570306000000000001"), (2, "7"), (1, "café😀")),
    ]


def test_a_key_beside_values_of_a_list_is_there_twice(validate: Validate) -> None:
    stream = stream_of(str, {"source": ("tags.0.name", "tags.1.name", "value")})
    (row,) = validate(stream, [b'{"id": 1, "id": 2, "tags": [{"name": "a"}, {"name": "b"}]}'])
    assert (row["id"], row["value"]) == (2, "a")
    (row,) = validate(stream, [b'{"id": 1, "tags": [{"name": "a"}], "tags": [{"name": "c"}]}'])
    assert row["value"] == "c"


def test_records_that_are_no_json_are_not_taken_for_those_with_a_repeated_key(
    validate: Validate,
) -> None:
    stream = replace(stream_of(str, {"source": "a.b"}), max_record_bytes=40)
    records = [
        b'{"id": 1, "id": 2, "a": {"b": "' + b"x" * 40 + b'"}}',
        b"\xff\xfe",
        b'{"id": 3, "a": {"b": "y"}}',
        b'{"id": 4, "a": {"b": "y", "b": "z"}}',
    ]
    rows = validate(stream, records)
    assert [row["reasons"] for row in rows[:2]] == [["record_too_long"], ["record_not_utf8"]]
    assert [(row["id"], row["value"]) for row in rows[2:]] == [(3, "y"), (4, "z")]


def test_a_record_with_a_repeated_key_keeps_the_hash_of_its_own_bytes(validate: Validate) -> None:
    stream = stream_of(str, {"derive": HashOfRecord()})
    record = b'{"id": 1, "id": 2}'
    (row,) = validate(stream, [record])
    assert row["id"] == 2
    assert row["value"] == sha256(record).hexdigest()[:32]
