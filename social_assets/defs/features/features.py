"""`features/*`: sessions, active days and interest of users, built by dbt from the facts.

Belongs here: the assets of the layer and their checks. No view feeds these tables: the rows of a
day depend on other days, so the days that a load has changed are built by the next run. What the
checks compute belongs to `quality.features`.
"""

from collections.abc import Iterator
from functools import cache

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSpec,
    AssetsDefinition,
    multi_asset_check,
)

from resources.clickhouse.resource import ClickHouseResource
from social_assets.defs.monitoring.failing_days import (
    days_to_validate,
    failing_days_metadata,
    listed,
)
from social_assets.defs.partitions import days_of_check
from social_assets.defs.stores import StoresResource
from social_assets.defs.warehouse.dbt_layers import layer_assets
from social_assets.defs.warehouse.metrics_of_tables import with_metrics
from social_assets.quality.features.sums import (
    FEATURE_SUMS,
    SESSIONS,
    DifferingDay,
    FeatureSums,
    compare_sums,
)
from social_assets.quality.features.wrong_sessions import count_wrong_sessions
from social_assets.warehouse.compared_days import SUMS_EQUAL_EVENTS
from social_assets.warehouse.dbt.tables import asset_of

SESSIONS_DO_NOT_OVERLAP = "sessions_do_not_overlap"

_SHOWN = 5
"""How many of the days that differ a result shows with their sums."""

_BY_ASSET = {asset_of(sums.table): sums for sums in FEATURE_SUMS}


@cache
def features() -> AssetsDefinition:
    """The assets of the layer; prepares the dbt project if nobody has."""
    return layer_assets("features").map_asset_specs(with_metrics)


@multi_asset_check(
    name="features_sums_equal_events",
    can_subset=True,
    specs=[
        AssetCheckSpec(
            SUMS_EQUAL_EVENTS,
            asset=asset_of(sums.table),
            additional_deps=[asset_of(source) for source in sums.sources],
            description=f"Sums of {sums.measure} of a day are those of the events that it is of",
        )
        for sums in FEATURE_SUMS
    ],
)
def sums_equal_events(
    context: AssetCheckExecutionContext, clickhouse: ClickHouseResource, stores: StoresResource
) -> Iterator[AssetCheckResult]:
    """Counted for the days that the run has built and those that failed before, or for all days."""
    days = days_of_check(context)
    expired = stores.stores().lake.expired_days()
    for check in sorted(context.selected_asset_check_keys):
        sums = _BY_ASSET[check.asset_key]
        gone = expired.days(*(_key(table) for table in (sums.table, *sums.sources)))
        due = days_to_validate(context.instance, check, days and sums.built_with(days))
        with clickhouse.client(f"{context.run.run_id} {_key(sums.table)}") as client:
            differing = compare_sums(client, sums, due, gone)
        yield _result(sums, differing)


def _result(sums: FeatureSums, differing: list[DifferingDay]) -> AssetCheckResult:
    failing = [each.day for each in differing]
    return AssetCheckResult(
        asset_key=asset_of(sums.table),
        check_name=SUMS_EQUAL_EVENTS,
        passed=not differing,
        description=(
            f"{sums.measure} differ from those of the events on {listed(failing)}; "
            f"rebuild these days: social-assets backfill {_key(sums.table)}"
            if differing
            else None
        ),
        metadata={
            "days_that_differ": len(differing),
            **{
                f"{each.day}": f"{_shown(each.ours)} in the table, {_shown(each.theirs)} in events"
                for each in differing[:_SHOWN]
            },
            **failing_days_metadata(failing),
        },
    )


@multi_asset_check(
    name="sessions_do_not_overlap",
    specs=[
        AssetCheckSpec(
            SESSIONS_DO_NOT_OVERLAP,
            asset=asset_of(SESSIONS),
            description="A session of a user begins after the end of the one before",
        )
    ],
)
def sessions_do_not_overlap(
    context: AssetCheckExecutionContext, clickhouse: ClickHouseResource
) -> Iterator[AssetCheckResult]:
    """Looked for in the days of the run and those that failed before, or in all days."""
    (check,) = context.selected_asset_check_keys
    due = days_to_validate(context.instance, check, days_of_check(context))
    with clickhouse.client(f"{context.run.run_id} {_key(SESSIONS)}") as client:
        found = count_wrong_sessions(client, due)
    yield AssetCheckResult(
        passed=found.is_right,
        metadata={
            "sessions": found.sessions,
            "overlapping": found.overlapping,
            "malformed": found.malformed,
            **failing_days_metadata(found.days),
        },
    )


feature_checks: list[AssetChecksDefinition] = [sums_equal_events, sessions_do_not_overlap]


def _shown(sums: tuple[float, ...]) -> str:
    return ", ".join(f"{each:.15g}" for each in sums) or "nothing"


def _key(table: str) -> str:
    return asset_of(table).to_user_string()
