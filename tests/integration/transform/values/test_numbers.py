"""Numbers are read exactly, and in the ways that the contract declares."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from social_assets.contracts.contract import Numerals
from tests.integration.transform.raw_records import Validate
from tests.integration.transform.values.streams import read_csv, read_json, stream_of

ALL = Numerals(thousands=",", percent=True, suffixes=True)
RELAXED = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
NUMBERS = {
    "1,234": 1234.0,
    "-1,234,567.5": -1234567.5,
    "12,34,567": 1234567.0,
    "1.2K": 1200.0,
    "1.2 k": 1200.0,
    "3M": 3e6,
    "2.5B": 2.5e9,
    "12.5%": 0.125,
    "12.5 %": 0.125,
    "1,200.5K": 1200500.0,
    "9999999999999999999999B": 9.999999999999999999999e30,
    "99999999999999999999999B": ["value_not_number"],
    "7": 7.0,
    "1e3": 1000.0,
    "1,5": ["value_not_number"],
    "1,2345": ["value_not_number"],
    "K": ["value_not_number"],
    "1.2.3": ["value_not_number"],
    "%": ["value_not_number"],
}
INTEGERS = {
    "1,234": 1234,
    "1.2K": 1200,
    "1.2345K": ["value_not_integer"],
    "9007199254740993": 2**53 + 1,
}


def test_declared_numerals_are_read(validate: Validate) -> None:
    stream = stream_of(float, {"numerals": ALL})
    assert dict(zip(NUMBERS, read_csv(validate, stream, NUMBERS), strict=True)) == NUMBERS
    assert read_json(validate, stream, ['"1,234"', "1234.5"]) == [1234.0, 1234.5]
    stream = stream_of(int, {"numerals": ALL})
    assert dict(zip(INTEGERS, read_csv(validate, stream, INTEGERS), strict=True)) == INTEGERS
    blanks = stream_of(int, {"numerals": Numerals(thousands=" ")})
    assert read_csv(validate, blanks, ["1 234", "1\u202f234\u00a0567"]) == [1234, 1234567]


def test_nothing_is_read_that_is_not_declared(validate: Validate) -> None:
    texts = ["1,234", "1.2K", "12%", "1 234", "1'234"]
    assert read_csv(validate, stream_of(float), texts) == [["value_not_number"]] * len(texts)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=30))
@RELAXED
def test_any_integer_with_separators_is_exact(validate: Validate, numbers: list[int]) -> None:
    stream = stream_of(int, {"numerals": ALL})
    assert read_csv(validate, stream, [f"{number:,}" for number in numbers]) == numbers


@given(st.lists(st.decimals(-(10**9), 10**9, places=3), max_size=30))
@RELAXED
def test_any_short_form_is_what_decimal_says(validate: Validate, numbers: list[Decimal]) -> None:
    stream = stream_of(float, {"numerals": ALL})
    factors = {"K": Decimal(1000), "M": Decimal(10**6), "%": Decimal("0.01")}
    written = [f"{number:f}{end}" for number in numbers for end in factors]
    expected = [float(number * factor) for number in numbers for factor in factors.values()]
    assert read_csv(validate, stream, written) == expected


def test_numerals_that_cannot_work_are_refused() -> None:
    with pytest.raises(ValueError, match=re.escape("thousands is '.'; it can be a comma")):
        Numerals(thousands=".")
    with pytest.raises(ValueError, match="only a column of int or float can have numerals"):
        stream_of(str, {"numerals": ALL})
