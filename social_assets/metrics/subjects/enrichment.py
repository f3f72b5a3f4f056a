"""What snapshots tell of tracked accounts together: engagement of the last posts, quality.

Belongs here: the subject and its metrics, over one row an account and day. What a day has of new
reactions and followers is the subject `collected`.
"""

from __future__ import annotations

from social_assets.metrics.dimension import ACCOUNT, PLATFORM, WEEKDAY
from social_assets.metrics.formula import Ratio, Total
from social_assets.metrics.measure import Aggregate, Measure
from social_assets.metrics.metric import Metric, SourceTable, Subject

_SOURCE = "Snapshots of profiles, posts and counters (docs/collection.md, Enrichment)"
_RATED = "engagement_rate IS NOT NULL"
_POSTED = "posts_a_week IS NOT NULL"
_ASSESSED = "quality_score IS NOT NULL"

SUBJECT = Subject(
    name="enrichment",
    description="Engagement of the last posts, posting and quality of tracked accounts, by day",
    fact="rollups.account_enrichment",
    sources=(SourceTable("profiles", "cleaned.profiles"),),
    dimensions=(PLATFORM, ACCOUNT, WEEKDAY),
    measures=(
        Measure("engagement_of_posts_sum", Aggregate.SUM, "engagement_of_posts", _RATED),
        Measure("rated_followers_sum", Aggregate.SUM, "followers", _RATED),
        Measure("posts_a_week_sum", Aggregate.SUM, "posts_a_week", _POSTED),
        Measure("posted_days", Aggregate.COUNT, counted_if=_POSTED),
        Measure("quality_score_sum", Aggregate.SUM, "quality_score", _ASSESSED),
        Measure("assessed_days", Aggregate.COUNT, counted_if=_ASSESSED),
    ),
    rollups=(),
    metrics=(
        Metric(
            "engagement_rate_of_last_posts",
            "Engagement rate of the last 12 posts",
            "Mean of likes and comments of an account's last 12 posts for each follower; of "
            "several days and accounts the mean, weighted by followers. Posts without known likes "
            "or comments are left out",
            "ratio",
            Ratio(Total("engagement_of_posts_sum"), Total("rated_followers_sum")),
            source=_SOURCE,
            needs="followers, and posts of which likes and comments are known",
        ),
        Metric(
            "posting_frequency",
            "Posts a week",
            "Posts a week over the 28 days that end with a day; of several days and accounts the "
            "mean",
            "posts",
            Ratio(Total("posts_a_week_sum"), Total("posted_days")),
            source=_SOURCE,
            rises_is_good=None,
        ),
        Metric(
            "quality_score",
            "Quality score",
            "0 to 1, of three parts: how complete the profile is, how plausible the engagement of "
            "its followers, how steady their number; of several days and accounts the mean",
            "ratio",
            Ratio(Total("quality_score_sum"), Total("assessed_days")),
            source=_SOURCE,
            needs="followers of two days, and posts of which likes and comments are known",
        ),
    ),
    owner="team:collection",
    filled_by="track accounts with `social-assets track`, then `social-assets collect`",
)
