"""What is made of a column is followed through columns, conditions, and views that feed tables."""

from __future__ import annotations

from typing import Any

import pytest

from social_assets.warehouse.dbt.column_lineage import (
    column_lineage,
    made_of,
    tables_that_name,
)

MODELS = {
    "fact": ("daily_partitions", "select user_id as user_key, value from cleaned.likes"),
    "fact__from__likes": (
        "materialized_view",
        "-- target: `star`.`fact`\nselect user_id as user_key, value from `cleaned`.`likes`",
    ),
    "sums": (
        "daily_partitions",
        "select user_key, sum(value) as total from star.fact group by user_key",
    ),
    "large": ("view", "select user_key from star.sums where total > 10"),
    "others": ("view", "select value from cleaned.likes_of_others"),
}


@pytest.fixture
def manifest() -> dict[str, Any]:
    """A table that a view feeds, sums of it, and a view with a condition on the sums."""
    nodes = {
        name: {
            "resource_type": "model",
            "name": name,
            "schema": "star",
            "alias": name,
            "config": {"materialized": materialized},
            "compiled_code": sql,
            "depends_on": {"nodes": ["fact"] if name.startswith("fact__") else []},
        }
        for name, (materialized, sql) in MODELS.items()
    }
    return {"nodes": nodes, "sources": {}}


def test_columns_are_followed_into_conditions(manifest: dict[str, Any]) -> None:
    found = made_of(manifest, column_lineage(manifest), ("cleaned.likes", "value"))
    # `large` keeps no value, and which rows it has is decided by the values.
    assert found == {("star.fact", "value"), ("star.sums", "total"), ("star.large", "user_key")}


def test_a_key_is_followed_to_the_tables_that_keep_it(manifest: dict[str, Any]) -> None:
    found = made_of(manifest, column_lineage(manifest), ("star.fact", "user_key"))
    assert found == {("star.sums", "user_key"), ("star.large", "user_key")}


def test_a_table_that_names_a_column_reads_its_relation(manifest: dict[str, Any]) -> None:
    assert tables_that_name(manifest, ("cleaned.likes", "value")) == ["star.fact"]
    assert tables_that_name(manifest, ("cleaned.likes", "valu")) == []
    assert tables_that_name(manifest, ("cleaned.like", "value")) == []


def test_a_comment_reads_nothing(manifest: dict[str, Any]) -> None:
    assert "star.fact" not in tables_that_name(manifest, ("star.fact", "value"))
