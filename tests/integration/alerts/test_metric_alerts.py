"""Rules on metrics find planted posts and accounts in the rollups, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from resources.embedded_clickhouse.lifecycle import running_state
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.alerts.active import FailureKind, Observation
from social_assets.alerts.kinds.metric_alerts import observe_metrics
from social_assets.alerts.metric_rules.rule import rules
from social_assets.warehouse.text_tables import COLUMNS, SENTIMENT
from tests.integration.warehouse.conftest import (  # noqa: F401 - fixtures
    Row,
    WarehouseUnderTest,
    deployed,
    warehouse,
)

NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)


def like(account: int, post: str, at: datetime, likes: float) -> Row:
    return {
        "event_id": f"{account}/{post}/{at.isoformat()}",
        "event_time": at,
        "platform": "X",
        "account_id": str(account),
        "post_id": post,
        "user_id": "Unknown",
        "metric_type": "like",
        "value": float(likes),
    }


def scored(account: int, count: int, score: float, at: datetime = NOW - HOUR) -> list[Row]:
    """Comments on the post of an account, as `text/sentiment` leaves them."""
    label = "negative" if score < 0 else "positive"
    return [
        {
            "event_date": at.date(),
            "event_time": at,
            "stream": "comments",
            "platform": "X",
            "text_id": f"{account}/{at.isoformat()}/{score}/{number}",
            "account_id": str(account),
            "post_id": "p",
            "text_hash": number,
            "score": score,
            "label": label,
            "model": "lexicon",
            "model_version": "1",
        }
        for number in range(count)
    ]


def ordinary_days(account: int, likes: float) -> Iterator[Row]:
    """Four posts, each with some likes on each of the 27 days before."""
    for post in range(4):
        for day in range(1, 28):
            yield like(account, f"{account}-p{post}", NOW - day * DAY - 2 * HOUR, likes + day % 5)


def observed(now: datetime = NOW) -> Observation:
    return observe_metrics(rules(), now)


def told(observation: Observation) -> dict[str, str]:
    return {alert.key.removeprefix("metric/"): alert.detail for alert in observation.active}


def test_a_post_over_the_threshold_and_one_far_above_its_accounts_posts_are_viral(
    warehouse: WarehouseUnderTest,  # noqa: F811
) -> None:
    warehouse.stream(
        "engagement_events",
        *ordinary_days(1, likes=20),
        *ordinary_days(2, likes=5_000),
        like(1, "small", NOW - 3 * HOUR, 240),
        like(2, "usual", NOW - 3 * HOUR, 5_002),
        like(2, "large", NOW - 3 * HOUR, 10_001),
        like(3, "without a past", NOW - 3 * HOUR, 9_999),
    )
    viral = {k: v for k, v in told(observed()).items() if k.startswith("viral_post/")}
    assert viral == {
        "viral_post/large": "10,001 in 24 hours, over 10,000",
        "viral_post/small": (
            "240 in 24 hours; 99% of the days of each post of account 1 have at most 24"
        ),
    }


def test_an_account_far_above_this_hour_of_the_weeks_before_spikes(
    warehouse: WarehouseUnderTest,  # noqa: F811
) -> None:
    at = NOW.replace(minute=5) - 2 * HOUR
    usual = [
        like(account, "p", at - week * WEEK + n * timedelta(minutes=1), 100 + 10 * (week % 3))
        for account in (1, 2)
        for week in range(1, 9)
        for n in range(2)
    ]
    # At other hours account 1 has as much as its spike: only the same hour counts.
    noise = [like(1, "p", at - 5 * HOUR - week * WEEK, 900) for week in range(1, 9)]
    warehouse.stream(
        "engagement_events", *usual, *noise, like(1, "p", at, 900), like(2, "p", at, 260)
    )
    spikes = {k: v for k, v in told(observed()).items() if k.startswith("engagement_spike/")}
    assert list(spikes) == ["engagement_spike/1"]
    assert (
        "900 at 2026-11-20 13:00 UTC; the usual value of this hour of the week is 220"
        in (spikes["engagement_spike/1"])
    )
    # It lasts for the cool-down of 6 hours, and is not told again after it.
    assert "engagement_spike/1" in told(observed(NOW + 3 * HOUR))
    assert "engagement_spike/1" not in told(observed(NOW + 7 * HOUR))


def test_an_account_with_many_negative_texts_is_told_and_one_with_few_is_not(
    warehouse: WarehouseUnderTest,  # noqa: F811
) -> None:
    rows = [
        *scored(1, 30, -0.9),
        *scored(1, 10, 0.2),
        *scored(2, 19, -1.0),
        *scored(3, 20, -1.0, NOW - 2 * DAY),
        *scored(4, 20, -0.5),
        *scored(5, 20, -0.8),
    ]
    names = [column.name for column in COLUMNS]
    warehouse.client.insert(SENTIMENT, [[row[name] for name in names] for row in rows], names)
    found = [each for each in observed().active if each.kind is FailureKind.METRIC]
    assert [(each.title, each.detail) for each in found] == [
        (
            "sentiment of account 5 is negative",
            "-0.80, mean of 20 texts in 24 hours, below -0.5",
        ),
        (
            "sentiment of account 1 is negative",
            "-0.62, mean of 40 texts in 24 hours, below -0.5",
        ),
    ]
    assert {each.owner for each in found} == {"team:content"}
    assert found[1].remedy.endswith("/dashboards/account_overview?account=1")
    later = {key for key in told(observed(NOW + DAY + HOUR)) if key.startswith("negative")}
    assert later == set()


def test_an_alert_leads_to_the_dashboard_of_its_member(
    warehouse: WarehouseUnderTest,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOCIAL_ASSETS_DASHBOARDS_URL", "https://social.example.org/")
    warehouse.stream("engagement_events", like(1, "a post&x=1", NOW - HOUR, 20_000))
    (alert,) = observed().active
    assert alert.kind is FailureKind.METRIC
    assert alert.title == "post a post&x=1 goes viral"
    assert alert.owner == "team:engagement"
    assert alert.remedy == (
        "see https://social.example.org/dashboards/post_detail?post=a+post%26x%3D1"
    )


def test_a_warehouse_that_does_not_answer_is_an_alert_and_leaves_the_earlier_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOCIAL_ASSETS_CLICKHOUSE_URL", "http://user:secret@127.0.0.1:9")
    observation = observed()
    (alert,) = observation.active
    assert alert.kind is FailureKind.BLIND
    assert "secret" not in alert.detail
    assert observation.is_unknown("metric/viral_post/p1")


def test_a_home_without_a_warehouse_has_no_alert_and_starts_no_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path / "home"))
    assert observed() == Observation(())
    assert running_state(Home(tmp_path / "home")) is None
    assert not (tmp_path / "home").exists()


def test_tables_that_wait_for_a_deployment_are_one_alert_and_stop_no_other_kind(
    warehouse: WarehouseUnderTest,  # noqa: F811
) -> None:
    table = "rollups.engagement_account_hourly"
    warehouse.client.command(f"RENAME TABLE {table} TO {table}_away")
    try:
        (alert,) = observed().active
    finally:
        warehouse.client.command(f"RENAME TABLE {table}_away TO {table}")
    assert alert.kind is FailureKind.BLIND
    assert "social-assets deploy" in alert.detail
