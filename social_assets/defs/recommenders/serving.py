"""`recsys/top_n` and `recsys/similar_items`: the tables of recommendations in the warehouse.

Belongs here: what both assets write and report. What is recommended is computed in
`social_assets.recommend`. Between two trainings only the lists of users follow the facts, hourly.
"""

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dagster import (
    AssetExecutionContext,
    AutomationCondition,
    MaterializeResult,
    asset,
)

from resources.clickhouse.resource import ClickHouseResource
from social_assets.defs.recommenders.matrix import FACTS, STAR_DAYS
from social_assets.defs.recommenders.models import (
    AT_ONCE,
    OWNERS,
    rounded,
)
from social_assets.defs.recommenders.promotion import champion
from social_assets.defs.recommenders.reporting import failures_without_retry, version_of
from social_assets.defs.reporting import query_comment, table_schema
from social_assets.recommend.candidates import (
    required_champion,
)
from social_assets.recommend.list_rules import ServedRules
from social_assets.recommend.model_lists import is_of, replace_rows
from social_assets.recommend.similar_items import (
    SIMILAR_ITEMS,
    SIMILAR_ITEMS_AN_ITEM,
    similar_items_of,
)
from social_assets.recommend.top_n import ITEMS_A_USER, TABLE, TOP_N, refresh_top_n
from social_assets.warehouse.served.serving_tables import ServingTable, rows_of_table, size_of_table

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from recsys import LoadedModel

_HALF_PAST: AutomationCondition[Any] = AutomationCondition.cron_tick_passed("30 * * * *")
HOURLY_AFTER_FACTS = (
    _HALF_PAST.since_last_handled()
    & AutomationCondition.any_deps_updated().since_last_handled()
    & ~AutomationCondition.missing()
    & ~AutomationCondition.in_progress()
).with_label("hourly, if facts came")
"""Hourly after the facts, once there is a champion: without one, nothing can be served."""


@asset(
    key=["recsys", "top_n"],
    group_name="recsys",
    deps=[champion, *STAR_DAYS],
    owners=OWNERS,
    kinds={"clickhouse", "numpy"},
    automation_condition=AT_ONCE.ignore(FACTS) | HOURLY_AFTER_FACTS,
    pool="recsys_top_n",
    description=(
        f"The {ITEMS_A_USER} best posts for each user, of those not engaged with yet. Everyone's"
        " after a new champion; each hour those of users whose reactions changed"
    ),
    metadata={
        "dagster/table_name": TABLE,
        "dagster/storage_kind": "clickhouse",
        "dagster/column_schema": table_schema(TOP_N),
    },
)
@failures_without_retry()
def top_n(
    context: AssetExecutionContext, clickhouse: ClickHouseResource
) -> MaterializeResult[None]:
    """Filled in a staging table, which is then swapped with the table in one step."""
    import recsys

    started = time.monotonic()
    model = recsys.load(required_champion())
    with clickhouse.client(query_comment(context)) as client:
        rules = ServedRules.from_environment()
        found = refresh_top_n(client, model, version_of(context), datetime.now(UTC), rules)
        served = _served(client, TOP_N, model, started)
    counts = {"users_ranked": found.ranked, "users_kept": found.kept, "users_gone": found.gone}
    by_rules = {"rules": rules.of_lists().text() or "none"}
    return MaterializeResult(metadata={**served, **counts, **by_rules})


@asset(
    key=["recsys", "similar_items"],
    group_name="recsys",
    deps=[champion],
    owners=OWNERS,
    kinds={"clickhouse", "numpy"},
    automation_condition=AT_ONCE,
    pool="recsys_similar_items",
    description=f"The {SIMILAR_ITEMS_AN_ITEM} posts most like each post, by the champion",
    metadata={
        "dagster/table_name": SIMILAR_ITEMS.name,
        "dagster/storage_kind": "clickhouse",
        "dagster/column_schema": table_schema(SIMILAR_ITEMS),
    },
)
@failures_without_retry()
def similar_items(
    context: AssetExecutionContext, clickhouse: ClickHouseResource
) -> MaterializeResult[None]:
    """Filled in a staging table, then swapped in one step; not changed if it is up to date."""
    import recsys

    started = time.monotonic()
    model = recsys.load(required_champion())
    with clickhouse.client(query_comment(context)) as client:
        anew = not is_of(client, SIMILAR_ITEMS, model)
        if anew:
            alike, run = similar_items_of(model), version_of(context)
            replace_rows(client, SIMILAR_ITEMS, alike, model, run, datetime.now(UTC))
        served = _served(client, SIMILAR_ITEMS, model, started)
    return MaterializeResult(metadata={**served, "items_ranked": served["items"] * anew})


def _served(
    client: "Client", table: ServingTable, model: "LoadedModel", started: float
) -> dict[str, Any]:
    """The metadata of a serving table."""
    return {
        "dagster/row_count": rows_of_table(client, table),
        "users": model.manifest["users"],
        "items": model.manifest["items"],
        "model": model.manifest["model"],
        "model_version": model.manifest["version"],
        "data_window": " to ".join(model.manifest["data_window"]),
        "seconds": rounded(time.monotonic() - started),
        "bytes": size_of_table(client, table),
    }
