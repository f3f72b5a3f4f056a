"""Readers of a column are found in the real project, from tables to reports."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from resources.settings.home import Home
from social_assets.operate.deployment.readers import Reader, readers
from social_assets.warehouse.dbt.project import PreparedProject, prepare


@pytest.fixture(scope="module")
def project(deployed_home: Callable[[str], Home]) -> PreparedProject:
    """The dbt project of today's contracts."""
    return prepare(deployed_home("readers"))


@pytest.fixture
def names(project: PreparedProject) -> Callable[[str, str], dict[str, list[str]]]:
    """The names of the readers of a stream's column, by kind."""

    def names(stream: str, column: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for each in readers(project.manifest(), project.lineage(), stream, column):
            found.setdefault(each.kind, []).append(each.name)
        return found

    return names


Names = Callable[[str, str], dict[str, list[str]]]


def test_a_value_is_followed_to_alerts_and_reports(names: Names) -> None:
    found = names("engagement_events", "value")
    assert {"star.fact_engagement", "rollups.engagement_weekly"} <= set(found["table"])
    assert {"likes", "engagement_rate", "median_value"} <= set(found["metric"])
    assert found["features"] == ["user_interest"]
    assert found["alert"] == ["engagement_spike", "viral_post"]
    assert "account_overview" in found["dashboard"]
    assert found["report"] == ["monthly_overview", "weekly_overview"]


def test_counts_of_rows_are_not_made_of_a_value(names: Names) -> None:
    assert {"events", "unique_users"}.isdisjoint(names("engagement_events", "value")["metric"])


def test_a_dimension_is_followed_to_the_dashboard_that_divides_by_it(names: Names) -> None:
    found = names("live_streaming", "device_type")
    assert "star.dim_device_type" in found["table"]
    assert found["dashboard"] == ["live_by_device"]
    assert "metric" not in found


def test_a_text_is_followed_to_sentiment_and_search(names: Names) -> None:
    found = names("posts", "text")
    assert {"text.sentiment", "text.documents"} <= set(found["table"])
    assert "sentiment" in found["metric"]
    assert "negative_sentiment" in found["alert"]


def test_a_table_whose_select_fails_is_told_apart(project: PreparedProject) -> None:
    found = readers(project.manifest(), project.lineage(), "profiles", "followers")
    assert found[0] == Reader("followers", "table", "star.account_days", "names it")
    assert {each.why for each in found[1:]} == {"is made of it"}


def test_a_column_that_nothing_reads_has_no_readers(names: Names) -> None:
    assert names("engagement_events", "app_version") == {}
