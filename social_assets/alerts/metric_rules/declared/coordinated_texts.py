"""Many authors who write the same within seconds."""

from datetime import timedelta

from social_assets.alerts.metric_rules.rule import AboveThreshold, MetricRule
from social_assets.warehouse.dbt.behaviour_limits import TEXT_LIMITS

RULE = MetricRule(
    name="coordinated_texts",
    title="authors on {group} write the same within seconds",
    description=f"In 24 hours, {TEXT_LIMITS}",
    metric="coordinated_bursts",
    by="platform",
    conditions=(AboveThreshold(0),),
    owner="team:content",
    dashboard="unusual_behaviour",
    window=timedelta(hours=24),
)
