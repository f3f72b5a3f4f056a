"""A platform with far more unusual sessions than at this hour of the weeks before."""

from datetime import timedelta

from social_assets.alerts.metric_rules.rule import MetricRule, RobustSpike

RULE = MetricRule(
    name="unusual_sessions",
    title="unusual sessions on {group} spike",
    description="Unusual sessions of an hour are more than 6 robust deviations above the same hour "
    "of the 8 weeks before",
    metric="unusual_sessions",
    by="platform",
    conditions=(RobustSpike(z_score=6.0, weeks=8, least=20),),
    owner="team:engagement",
    dashboard="unusual_behaviour",
    cool_down=timedelta(hours=6),
)
