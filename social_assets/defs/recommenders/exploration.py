"""`recsys/explored_items`: with which chance new posts are tried in served lists.

Belongs here: the asset, its check and its plot. The policy and its admission belong to
`social_assets.recommend.exploration`.
"""

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dagster import (
    AllPartitionMapping,
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetDep,
    AssetExecutionContext,
    AutomationCondition,
    MaterializeResult,
    MetadataValue,
    asset,
)

from resources.clickhouse.resource import ClickHouseResource
from social_assets.defs.pictures import new_figure, picture
from social_assets.defs.recommenders.matrix import STAR_DAYS
from social_assets.defs.recommenders.models import OWNERS, rounded
from social_assets.defs.recommenders.reporting import failures_without_retry, version_of
from social_assets.defs.reporting import query_comment, table_schema
from social_assets.recommend.exploration.explored_items import (
    EXPLORED_ITEMS,
    TABLE,
    refit,
    stop_exploring,
)
from social_assets.recommend.exploration.policy import Learned
from social_assets.recommend.list_rules import VARIABLE, ServedRules, tries_new_posts
from social_assets.warehouse.served.serving_tables import rows_of_table

if TYPE_CHECKING:
    from recsys.evaluation.off_policy import Estimates

_CHECK = "is_not_worse_than_what_was_shown"
_SHOWN = AssetDep(["features", "recommendation_exposures"], partition_mapping=AllPartitionMapping())
_MOST_ROWS = 20

_QUARTERS: AutomationCondition[Any] = AutomationCondition.cron_tick_passed("*/15 * * * *")
QUARTERLY_AFTER_EXPOSURES = (
    _QUARTERS.since_last_handled()
    & AutomationCondition.any_deps_updated().since_last_handled()
    & ~AutomationCondition.in_progress()
).with_label("quarter-hourly, if exposures or facts came")


@asset(
    key=["recsys", "explored_items"],
    group_name="recsys",
    deps=[_SHOWN, *STAR_DAYS],
    owners=OWNERS,
    kinds={"clickhouse", "numpy"},
    automation_condition=QUARTERLY_AFTER_EXPOSURES if tries_new_posts() else None,
    pool="recsys_explored_items",
    check_specs=[
        AssetCheckSpec(
            _CHECK,
            asset=["recsys", "explored_items"],
            description="By a doubly robust estimate, with other users than those learned from, the"
            " learned policy does not earn fewer clicks than what was shown. If it does, the"
            " policy before stays",
        )
    ],
    description=(
        "New posts and the chance with which each is tried, by groups of users: even at first, then"
        f" by what was clicked. Off unless {VARIABLE} declares `explored_places`"
    ),
    metadata={
        "dagster/table_name": TABLE,
        "dagster/storage_kind": "clickhouse",
        "dagster/column_schema": table_schema(EXPLORED_ITEMS),
    },
)
@failures_without_retry()
def explored_items(
    context: AssetExecutionContext, clickhouse: ClickHouseResource
) -> MaterializeResult:  # type: ignore[type-arg]  # Dagster refuses one with a check otherwise
    """Filled in a staging table, which is then swapped with the table in one step."""
    started, run = time.monotonic(), version_of(context)
    places = ServedRules.from_environment().explored_places
    with clickhouse.client(query_comment(context)) as client:
        if not places:
            stop_exploring(client, run)
            reason = f"off: {VARIABLE} declares no explored_places"
            passed = AssetCheckResult(passed=True, check_name=_CHECK, description=reason)
            return MaterializeResult(
                metadata={"dagster/row_count": 0, "policy": reason}, check_results=[passed]
            )
        found = refit(client, run, places, datetime.now(UTC))
        rows = rows_of_table(client, EXPLORED_ITEMS)
    return MaterializeResult(
        metadata={
            "dagster/row_count": rows,
            "policy": found.policy.name,
            "decision": found.admission.reason,
            "places": str(list(places)),
            "posts": len(found.policy.posts),
            "groups": len(found.policy.groups),
            "posts_shown_with_a_chance": found.shown,
            "posts_clicked": found.clicked,
            "chances": MetadataValue.md(_table(found)),
            **found.admission.figures,
            **({} if found.estimates is None else {"value": _plot(found.estimates)}),
            "seconds": rounded(time.monotonic() - started),
        },
        check_results=[
            AssetCheckResult(
                passed=found.admission.passed or found.estimates is None,
                check_name=_CHECK,
                severity=AssetCheckSeverity.WARN,
                description=found.admission.reason,
                metadata=dict(found.admission.figures),
            )
        ],
    )


def _table(found: Learned) -> str:
    """The posts with the highest mean chance."""
    policy = found.policy
    groups = [name or "all others" for name in policy.groups]
    lines = [f"| post | {' | '.join(groups)} | expected clicks |", "|---" * (len(groups) + 2) + "|"]
    if policy.posts:
        best = (-policy.chances.mean(axis=0)).argsort(kind="stable")[:_MOST_ROWS]
        for at in best.tolist():
            chances = " | ".join(f"{chance:.3f}" for chance in policy.chances[:, at])
            expected = policy.expected[:, at].mean()
            lines.append(f"| {policy.posts[at]} | {chances} | {expected:.3f} |")
    return "\n".join(lines)


def _plot(estimates: "Estimates") -> MetadataValue:
    """What was earned, and what the learned policy would earn, with 95 % intervals."""
    figure, axes = new_figure()
    values = {"IPS": estimates.ips, "SNIPS": estimates.snips}
    if estimates.doubly_robust is not None:
        values["doubly robust"] = estimates.doubly_robust
    for at, value in enumerate(values.values()):
        spread = [[max(0, value.mean - value.low)], [max(0, value.high - value.mean)]]
        axes.errorbar([at], [value.mean], yerr=spread, fmt="o", capsize=4)
    axes.axhline(estimates.logged, linestyle="--", color="grey", label="what was shown")
    axes.set(ylabel="clicks a shown post", xticks=range(len(values)))
    axes.set_xticklabels(list(values))
    axes.legend(fontsize="small")
    return picture(figure, "clicks a shown post of the learned policy")
