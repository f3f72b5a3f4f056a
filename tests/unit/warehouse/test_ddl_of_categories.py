"""Only texts are stored as categories: ClickHouse refuses LowCardinality of other types."""

from __future__ import annotations

from dataclasses import replace

from social_assets.contracts.column import EVENT_TIME
from social_assets.warehouse.ddl import clickhouse_type


def test_a_number_limited_to_a_list_is_no_category() -> None:
    number = replace(EVENT_TIME, name="score", type="integer", categorical=True)
    assert clickhouse_type(number) == "Int64"
    assert clickhouse_type(replace(number, type="string")) == "LowCardinality(String)"
