"""The summary of a load shows the value that a rule rejected."""

from __future__ import annotations

import pandera.ibis as pa
import pytest

from social_assets.contracts.contract import Contract
from social_assets.contracts.registry import contract
from social_assets.quality.load_result import example

VIDEOS = contract("video_interactions")


@pytest.mark.parametrize(
    ("rule", "value", "header", "shown"),
    [
        ("age_in_range", b"u1,200,x", "User_ID,AGE,b", "200"),
        ("age_in_range", b'{"age": 200}', None, "200"),
        ("age_in_range", b'{"Age": null}', None, "(none)"),
        ("age_missing", b"{}", None, "(none)"),
        ("record_not_json_object", b"{broken", None, "{broken"),
        ("record_field_count", b"1,2", "a,b,c", "1,2"),
        ("record_not_utf8", b"\xff\xfe", None, r"\xff\xfe"),
        ("age_in_range", b"[" * 100_000, None, "[" * 40 + "..."),
        ("age_not_integer", b"", "age", "(none)"),
        ("age_not_integer", b'{"age": {"years": 3}}', None, '{"years": 3}'),
        ("age_not_integer", b'{"age": true}', None, "true"),
        ("age_not_integer", b'{"age": 570306000000000001.5}', None, "570306000000000001.5"),
        ("age_missing", b'{"age": NaN}', None, "NaN"),
    ],
)
def test_a_rule_shows_the_value_of_its_column(
    rule: str, value: bytes, header: str | None, shown: str
) -> None:
    assert example(VIDEOS, rule, value, header) == shown


def test_a_rule_shows_the_value_of_a_nested_place() -> None:
    class Nested(pa.DataFrameModel):
        """A column within an object."""

        likes: int = pa.Field(metadata={"source": ("n", "stats.likes")}, description="Likes")

    nested = Contract("nested", Nested, ("likes",), ("csv", "ndjson"), "team:x")
    for value in (b'{"stats": {"likes": "many"}}', b'{"N": "", "stats": {"likes": "many"}}'):
        assert example(nested, "likes_not_integer", value, None) == "many"
    assert example(nested, "likes_not_integer", b"1,many", "a,stats_likes") == "many"
