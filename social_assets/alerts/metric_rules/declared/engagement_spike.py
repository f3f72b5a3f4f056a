"""An account with far more engagement than at this hour of the weeks before."""

from datetime import timedelta

from social_assets.alerts.metric_rules.rule import MetricRule, RobustSpike

RULE = MetricRule(
    name="engagement_spike",
    title="engagement of account {group} spikes",
    description="Engagement of an hour is more than 6 robust deviations above the same hour of the "
    "8 weeks before",
    metric="engagement",
    by="account",
    conditions=(RobustSpike(z_score=6.0, weeks=8, least=50),),
    owner="team:engagement",
    dashboard="account_overview",
    cool_down=timedelta(hours=6),
)
