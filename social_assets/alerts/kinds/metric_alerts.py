"""Active alerts of rules on metrics: a viral post, a spike or the sentiment of an account.

They are read from the warehouse's rollups. If it does not answer, that is an alert itself, and the
earlier alerts remain active.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import urlencode

from resources.clickhouse.resource import URL_VARIABLE, ClickHouseResource
from resources.settings.home import Home
from social_assets.alerts.active import ActiveAlert, FailureKind, Observation, Severity
from social_assets.alerts.metric_rules.evaluate import Found, evaluate
from social_assets.alerts.metric_rules.rule import MetricRule

DASHBOARDS_URL = "SOCIAL_ASSETS_DASHBOARDS_URL"
"""Environment variable: where people open the dashboards."""
DEFAULT_DASHBOARDS_URL = "http://127.0.0.1:8080"
COMMENT = "social-assets alerts"
SECONDS = 10
"""For one question: an evaluation of the sensor has 60 for all alerts."""

_DEPLOYED = "SELECT count() FROM system.tables WHERE database = 'star' AND name = 'deployments'"
"""Whether there is a warehouse: before the first load there is none, and nothing to watch."""


def observe_metrics(rules: Iterable[MetricRule], now: datetime | None = None) -> Observation:
    """The alerts of every rule that holds now."""
    if not _has_warehouse(Home.from_environment()):
        return Observation(())
    listed = list(rules)
    # Imported here: ClickHouse's client takes a second to import.
    from clickhouse_connect.driver.exceptions import Error

    from social_assets.metrics.ask import TablesMissingError, ask

    at = now or datetime.now(UTC)
    active: list[ActiveAlert] = []
    try:
        with ClickHouseResource().client(COMMENT, max_execution_time=SECONDS) as client:
            if not client.query(_DEPLOYED).result_rows[0][0]:
                return Observation(())
            for rule in listed:
                found = evaluate(rule, lambda question: ask(client, question), at)
                active += [_active_alert(rule, each) for each in found]
    except (Error, OSError, TablesMissingError) as error:
        return Observation((_blind(error),), blind=("metric/",))
    return Observation(tuple(active))


def _has_warehouse(home: Home) -> bool:
    """Whether there is one to ask: looking for alerts must not start an embedded server."""
    return bool(os.environ.get(URL_VARIABLE)) or (home.clickhouse / "data").exists()


def _active_alert(rule: MetricRule, found: Found) -> ActiveAlert:
    address = os.environ.get(DASHBOARDS_URL, DEFAULT_DASHBOARDS_URL).rstrip("/")
    return ActiveAlert(
        key=f"metric/{rule.name}/{found.group}",
        kind=FailureKind.METRIC,
        severity=rule.severity,
        title=rule.title.format(group=found.group),
        owner=rule.owner,
        detail=found.detail,
        remedy=f"see {address}/dashboards/{rule.dashboard}?{urlencode({rule.by: found.group})}",
    )


def _blind(error: Exception) -> ActiveAlert:
    return ActiveAlert(
        key="blind/metric",
        kind=FailureKind.BLIND,
        severity=Severity.ERROR,
        title="metrics cannot be watched",
        detail=" ".join(str(error).split())[:300],
        remedy="correct what the message names, then run `social-assets doctor`",
    )
