"""A list of texts is read from JSON without its nulls."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.transform.raw_records import Validate
from tests.integration.transform.values.streams import read_json, read_texts, stream_of

TAGS = stream_of(list[str])
LISTS = {
    '["a", null, "b"]': ["a", "b"],
    "[null]": [],
    "[null, null, null]": [],
    '["null", null]': ["null"],
    '[null, "a, null", null, "[null]"]': ["a, null", "[null]"],
    '["{a}", "[b]", "c\\"]"]': ["{a}", "[b]", 'c"]'],
    "[1, 2.5, true]": ["1", "2.5", "true"],
    '["a", {"b": 1}]': ["value_not_strings"],
    '["a", ["b"]]': ["value_not_strings"],
    '{"a": 1}': ["value_not_strings"],
}


PYTHON = {
    "['a', 'b']": ["a", "b"],
    """['it\\'s', "it's", 'say "hi"', None]""": ["it's", "it's", 'say "hi"'],
    "[]": [],
    "['a, b' , '']": ["a, b", ""],
    "['a', ['b']]": ["value_not_strings"],
    "['a'": ["value_not_strings"],
    "a, b": ["value_not_strings"],
}


def test_a_list_that_python_printed_is_read(validate: Validate) -> None:
    assert dict(zip(PYTHON, read_texts(validate, TAGS, PYTHON), strict=True)) == PYTHON


def test_a_declared_separator_makes_a_list_of_a_text(validate: Validate) -> None:
    tags = stream_of(list[str], {"separator": "|"})
    texts = {"a|b | c||": ["a", "b", "c"], "a": ["a"], '["a|b"]': ["a|b"], "['x']": ["x"]}
    assert dict(zip(texts, read_texts(validate, tags, texts), strict=True)) == texts


def test_nulls_are_dropped_and_nested_values_rejected(validate: Validate) -> None:
    assert dict(zip(LISTS, read_json(validate, TAGS, LISTS), strict=True)) == LISTS


@given(st.lists(st.lists(st.none() | st.text() | st.just("null")), max_size=20))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_list_loses_its_nulls_and_nothing_else(
    validate: Validate, lists: list[list[str | None]]
) -> None:
    read = read_json(validate, TAGS, map(json.dumps, lists))
    assert read == [[text for text in texts if text is not None] for texts in lists]
