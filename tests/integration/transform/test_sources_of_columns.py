"""Columns are found where the contract says: under other names, in nested objects, by platform."""

from __future__ import annotations

import json
from typing import Any

import pandera.ibis as pa
import pytest

from social_assets.contracts.contract import Contract, HashOf, HashOfRecord, PlaceInSource
from social_assets.contracts.vocabulary import PLATFORM
from tests.integration.transform.raw_records import Validate


class Metric(pa.DataFrameModel):
    """Counters of accounts as five platforms show them."""

    account: str = pa.Field(metadata={"source": ("id", "user.id", "0.id")}, description="Account")
    app: str = pa.Field(metadata={"source": "source"}, nullable=True, description="Client")
    platform: str = pa.Field(metadata={"standardize": PLATFORM}, description="Platform")
    followers: int = pa.Field(
        metadata={
            "source": {
                "X": "public_metrics.followers_count",
                "YouTube": ("statistics.subscriberCount", "subscribers"),
            }
        },
        nullable=True,
        description="Followers",
    )
    first_tag: str = pa.Field(metadata={"source": "tags.0.name"}, nullable=True, description="Tag")
    place: str = pa.Field(metadata={"source": "identificación"}, nullable=True, description="Place")


METRICS = Contract(
    name="metrics", model=Metric, key=("account",), formats=("csv", "ndjson"), owner="team:test"
)


def read(validate: Validate, *records: dict[str, Any]) -> list[dict[str, Any]]:
    return validate(METRICS, [json.dumps(record).encode() for record in records])


def test_a_nested_value_is_read_by_its_path(validate: Validate) -> None:
    (row,) = read(validate, {"user": {"id": "7"}, "tags": [{"name": "a"}, {"name": "b"}]})
    assert (row["account"], row["first_tag"], row["reasons"]) == ("7", "a", [])


def test_of_alternatives_the_first_with_a_value_counts(validate: Validate) -> None:
    first, second = read(validate, {"id": "1", "user": {"id": "2"}}, {"id": "", "user": {"id": 2}})
    assert (first["account"], second["account"]) == ("1", "2")


def test_a_reserved_name_of_the_source_is_a_column_under_another_name(validate: Validate) -> None:
    (row,) = read(validate, {"id": "1", "source": "Twitter for iPhone", "Identificacion": "x"})
    assert (row["app"], row["place"]) == ("Twitter for iPhone", "x")


def test_each_platform_has_a_place_of_its_own(validate: Validate) -> None:
    numbers = {"public_metrics": {"followers_count": 1}, "statistics": {"subscriberCount": "2"}}
    platforms = ["twitter", "X", "YT", "TikTok"]
    rows = read(validate, *({"id": "1", "platform": name, **numbers} for name in platforms))
    assert [row["followers"] for row in rows] == [1, 1, 2, None]


def test_a_flattened_header_names_the_same_places(validate: Validate) -> None:
    header = "user.id,platform,public_metrics.followers_count,subscribers,source"
    rows = validate(METRICS, [b"7,X,5,6,web", b"8,YouTube,5,6,web"], header)
    assert [(r["account"], r["followers"], r["app"]) for r in rows] == [
        ("7", 5, "web"),
        ("8", 6, "web"),
    ]


def test_a_source_by_platform_needs_the_column_platform() -> None:
    class WithoutPlatform(pa.DataFrameModel):
        """No platform."""

        id: str = pa.Field(metadata={"source": {"X": "a"}})

    with pytest.raises(ValueError, match="column id: its source depends on the platform"):
        Contract("nothing", WithoutPlatform, ("id",), ("csv",), "team:test")


def keyed(derive: object) -> Contract:
    class Keyed(pa.DataFrameModel):
        """Records without a key."""

        key: str = pa.Field(metadata={"derive": derive}, description="Computed")
        a: str = pa.Field(nullable=True, description="A")
        n: int = pa.Field(nullable=True, description="N")

    return Contract("keyed", Keyed, ("key",), ("csv", "ndjson"), "team:test")


def test_a_hash_of_columns_is_equal_for_equal_values_alone(validate: Validate) -> None:
    records = [b'{"a":"x","n":1}', b'{"n":"1.0","A":" x "}', b'{"a":"x"}', b'{"a":"1:x","n":1}']
    one, same, *others = (row["key"] for row in validate(keyed(HashOf(("a", "n"))), records))
    assert one == same
    assert len({one, *others}) == 3
    assert len(one) == 32


def test_a_hash_of_the_record_is_equal_for_equal_bytes_alone(validate: Validate) -> None:
    records = [b'{"a":"x"}', b'{"a":"x"}', b'{"a": "x"}']
    one, same, other = (row["key"] for row in validate(keyed(HashOfRecord()), records))
    assert one == same != other


def test_a_place_in_the_source_is_a_key_of_its_own_for_each_record(validate: Validate) -> None:
    records = [b'{"a":"x"}', b'{"a":"x"}']
    for source, keys in (
        ("file", ["batch:1", "batch:2"]),
        ("kafka", ["origin:0:1", "origin:0:2"]),
    ):
        rows = validate(keyed(PlaceInSource()), records, None, source)
        assert [row["key"] for row in rows] == keys


def test_a_hash_of_an_unknown_column_is_refused() -> None:
    with pytest.raises(ValueError, match="derived from b, not among"):
        keyed(HashOf(("b",)))
