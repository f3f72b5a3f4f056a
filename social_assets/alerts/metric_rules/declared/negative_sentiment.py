"""An account whose posts and the comments on them are negative."""

from datetime import timedelta

from social_assets.alerts.metric_rules.rule import BelowThreshold, MetricRule

RULE = MetricRule(
    name="negative_sentiment",
    title="sentiment of account {group} is negative",
    description="The mean score of 20 texts or more of 24 hours is below -0.5",
    metric="sentiment",
    by="account",
    conditions=(BelowThreshold(-0.5, counted="texts", least=20),),
    owner="team:content",
    dashboard="account_overview",
    window=timedelta(hours=24),
)
