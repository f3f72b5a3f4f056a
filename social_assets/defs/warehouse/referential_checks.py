"""Checks that facts and dimensions fit: every key of a fact has a dimension row, and no dimension
has a key twice.

Belongs here: the checks of the star's structure. There is one query a table; all of them are one
step of a run. Keys are looked up for the days of the run and the days that failed before
(`failing_days`).
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSpec,
    AssetKey,
    multi_asset_check,
)

from resources.clickhouse.resource import ClickHouseResource
from social_assets.defs.monitoring.failing_days import (
    days_to_validate,
    failing_days_metadata,
    listed,
)
from social_assets.defs.partitions import days_of_check
from social_assets.warehouse.dbt.tables import Table

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

KEYS_RESOLVE = "keys_resolve"
ONE_ROW_A_KEY = "one_row_a_key"

_KEY = "_key"
_SAMPLE_ROWS = 5


def keys_resolve_checks(facts: Sequence[Table]) -> AssetChecksDefinition:
    """For each fact: each of its keys has a row in the dimension."""
    by_asset = {fact.asset: fact for fact in facts}

    @multi_asset_check(
        name="keys_resolve",
        can_subset=True,
        specs=[
            AssetCheckSpec(
                KEYS_RESOLVE,
                asset=fact.asset,
                additional_deps=[_dimension_asset(key) for key in keys_of(fact)],
                description="Every key of every row is in its dimension",
            )
            for fact in facts
        ],
    )
    def check_keys(
        context: AssetCheckExecutionContext, clickhouse: ClickHouseResource
    ) -> Iterator[AssetCheckResult]:
        days = days_of_check(context)
        for key in sorted(context.selected_asset_check_keys):
            asset, due = key.asset_key, days_to_validate(context.instance, key, days)
            with clickhouse.client(f"{context.run.run_id} {asset.to_user_string()}") as client:
                yield unresolved_keys(client, by_asset[asset], due)

    return check_keys


def one_row_a_key_checks(dimensions: Sequence[AssetKey]) -> AssetChecksDefinition:
    """For each dimension: no key twice, whatever days and streams it comes from."""

    @multi_asset_check(
        name="one_row_a_key",
        can_subset=True,
        specs=[
            AssetCheckSpec(
                ONE_ROW_A_KEY, asset=dimension, description="No surrogate key has two rows"
            )
            for dimension in dimensions
        ],
    )
    def check_rows(
        context: AssetCheckExecutionContext, clickhouse: ClickHouseResource
    ) -> Iterator[AssetCheckResult]:
        for asset in sorted({key.asset_key for key in context.selected_asset_check_keys}):
            with clickhouse.client(f"{context.run.run_id} {asset.to_user_string()}") as client:
                yield doubled_keys(client, asset)

    return check_rows


def unresolved_keys(client: "Client", fact: Table, days: Sequence[date] | None) -> AssetCheckResult:
    """The validation result of one fact: of some days, or of all."""
    keys = keys_of(fact)
    counts = ",\n  ".join(
        f"countIf({key} NOT IN (SELECT {key} FROM {_dimension(key)})) AS {key}" for key in keys
    )
    found = client.query(
        f"SELECT count(),\n  {counts}\nFROM {fact.qualified_name}\nWHERE {fact.of_days(days)}"
    ).result_rows[0]
    rows, unresolved = found[0], dict(zip(keys, found[1:], strict=True))
    broken = [key for key in keys if unresolved[key]]
    samples = {f"sample_{key}": ", ".join(_sample(client, fact, key, days)) for key in broken}
    failing = _failing_days(client, fact, broken, days) if broken else []
    described = "; ".join(
        f"{unresolved[key]} rows have a {key} that is not in {_dimension(key)}" for key in broken
    )
    return AssetCheckResult(
        asset_key=fact.asset,
        check_name=KEYS_RESOLVE,
        passed=not broken,
        description=f"{described}; on {listed(failing)}" if broken else None,
        metadata={
            "rows": rows,
            "unresolved": unresolved,
            **samples,
            **failing_days_metadata(failing),
        },
    )


def doubled_keys(client: "Client", dimension: AssetKey) -> AssetCheckResult:
    """The validation result of one dimension."""
    layer, name = dimension.path
    key = name.removeprefix("dim_") + _KEY
    rows, keys = client.query(f"SELECT count(), uniqExact({key}) FROM {layer}.{name}").result_rows[
        0
    ]
    return AssetCheckResult(
        asset_key=dimension,
        check_name=ONE_ROW_A_KEY,
        passed=rows == keys,
        description=None if rows == keys else f"{rows - keys} rows too many for {keys} keys",
        metadata={"rows": rows, "keys": keys},
    )


def keys_of(fact: Table) -> list[str]:
    """The columns of a fact that refer to dimensions."""
    return [column for column in fact.columns if column.endswith(_KEY)]


def _sample(client: "Client", fact: Table, key: str, days: Sequence[date] | None) -> list[str]:
    """Some keys, in hex, without a row in their dimension."""
    found = client.query(
        f"SELECT DISTINCT lower(hex({key})) FROM {fact.qualified_name}\n"
        f"WHERE {fact.of_days(days)} AND {key} NOT IN (SELECT {key} FROM {_dimension(key)})\n"
        f"LIMIT {_SAMPLE_ROWS}"
    ).result_rows
    return [row[0] for row in found]


def _failing_days(
    client: "Client", fact: Table, keys: Sequence[str], days: Sequence[date] | None
) -> list[date]:
    """The days with rows of these keys, which have no row in their dimension."""
    unresolved = " OR ".join(f"{key} NOT IN (SELECT {key} FROM {_dimension(key)})" for key in keys)
    found = client.query(
        f"SELECT DISTINCT event_date FROM {fact.qualified_name}\n"
        f"WHERE {fact.of_days(days)} AND ({unresolved})"
    ).result_rows
    return [row[0] for row in found]


def _dimension(key: str) -> str:
    return "star.dim_" + key.removesuffix(_KEY)


def _dimension_asset(key: str) -> AssetKey:
    return AssetKey(["star", "dim_" + key.removesuffix(_KEY)])
