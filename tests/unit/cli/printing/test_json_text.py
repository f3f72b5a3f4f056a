"""JSON that every parser accepts: numbers as numbers, no NaN or infinity."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime
from decimal import Decimal
from ipaddress import ip_address
from uuid import UUID

import pytest

from social_assets.cli.printing.json_text import as_json

UUID_TEXT = "00000000-0000-0000-0000-000000000001"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (math.nan, None),
        ([math.inf, {"a": -math.inf}], [None, {"a": None}]),
        (Decimal("1.50"), 1.5),
        (Decimal("570306000000000001.25"), "570306000000000001.25"),
        (Decimal(2**64), 2**64),
        (Decimal("NaN"), None),
        (2**200, 2**200),
        (b"\x00\xff", "00ff"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC), "2026-01-02 03:04:05.000006+00:00"),
        (UUID(UUID_TEXT), UUID_TEXT),
        (ip_address("10.0.0.1"), "10.0.0.1"),
        ({date(2026, 1, 2): (1, None), 3: True}, {"2026-01-02": [1, None], "3": True}),
        ("ü\n", "ü\n"),
    ],
)
def test_a_value_becomes_the_value_that_stands_for_it(value: object, expected: object) -> None:
    text = as_json(value)
    assert json.loads(text, parse_constant=pytest.fail) == expected
    assert "\n" not in text
