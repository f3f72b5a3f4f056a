"""A post that gets far more likes than posts do."""

from datetime import timedelta

from social_assets.alerts.metric_rules.rule import AboveOwnQuantile, AboveThreshold, MetricRule

RULE = MetricRule(
    name="viral_post",
    title="post {group} goes viral",
    description="More than 10,000 likes in 24 hours, or more than 99 % of the days of the "
    "account's posts",
    metric="likes",
    by="post",
    conditions=(
        AboveThreshold(10_000),
        AboveOwnQuantile(within="account", quantile=0.99, days=28, least=100),
    ),
    owner="team:engagement",
    dashboard="post_detail",
    window=timedelta(hours=24),
)
