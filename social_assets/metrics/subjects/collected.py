"""What the platforms show of tracked accounts: followers, new reactions, published posts.

Belongs here: the subject and its metrics, over snapshots that collection takes. Reactions that
arrive as events are the subject `engagement`.
"""

from __future__ import annotations

from social_assets.metrics.dimension import ACCOUNT, PLATFORM, WEEKDAY, Dimension, KeyDimension
from social_assets.metrics.formula import Growth, Level, Ratio, Total, only
from social_assets.metrics.grain import Grain
from social_assets.metrics.measure import Aggregate, Measure
from social_assets.metrics.metric import Metric, RollupTable, SourceTable, Subject

COUNTER = Dimension(
    name="counter",
    description="The counter of a post: likes, comments, shares, saves, quotes, views, reach",
    column="counter",
)
COLLECTED_POST = KeyDimension(
    name="post",
    description="The post, by the platform's id",
    column="post_key",
    # Rows of accounts have no post.
    members="(SELECT post_key, post_id FROM star.collected_posts UNION ALL SELECT MD5(''), '')",
    label="post_id",
)

_FACT = "star.collected_changes"
_OF_ACCOUNTS = "kind = 'account'"

_FOLLOWERS = Level("followers")
_GAINED = Total("followers_gained_sum")


def _new(*counters: str) -> Total:
    return Total("added_sum", only(counter=counters))


_ENGAGEMENT = ("likes", "comments", "shares")

SUBJECT = Subject(
    name="collected",
    description="Followers, posts and counters of tracked accounts, as the platforms show them",
    fact=_FACT,
    sources=(
        SourceTable("profiles", "cleaned.profiles"),
        SourceTable("post_counters", "cleaned.post_counters"),
    ),
    dimensions=(PLATFORM, ACCOUNT, COLLECTED_POST, COUNTER, WEEKDAY),
    measures=(
        Measure("followers", Aggregate.LEVEL, "followers", counted_if=_OF_ACCOUNTS),
        Measure("followers_sum", Aggregate.SUM, "followers"),
        Measure("followers_gained_sum", Aggregate.SUM, "followers_gained"),
        Measure("added_sum", Aggregate.SUM, "added"),
        Measure("found_sum", Aggregate.SUM, "found"),
        Measure("taken_back_sum", Aggregate.SUM, "taken_back"),
        Measure("posts", Aggregate.COUNT, counted_if="kind = 'post'"),
    ),
    rollups=(
        RollupTable(
            "rollups.collected_daily",
            Grain.DAY,
            ("account", "platform", "post", "counter"),
            (
                *("followers", "followers_sum", "followers_gained_sum"),
                *("added_sum", "found_sum", "taken_back_sum", "posts"),
            ),
            is_view=True,
        ),
    ),
    metrics=(
        Metric(
            "followers",
            "Followers",
            "Followers or subscribers at the end of the period: the last number of each account. "
            "A day without a collection has the number of the last one, for six days at most",
            "followers",
            _FOLLOWERS,
            source="The profiles that the platforms show",
        ),
        Metric(
            "followers_gained",
            "Followers gained",
            "Followers more than at the last collection before the period; negative if fewer. "
            "The first collection of an account gains none",
            "followers",
            _GAINED,
            source="The profiles that the platforms show",
        ),
        Metric(
            "follower_growth",
            "Follower growth",
            "Followers gained in the period, by the followers before it",
            "ratio",
            Growth(_GAINED, _FOLLOWERS),
            source="YouTube, Meta: growth = change in followers / followers at the begin",
        ),
        Metric(
            "new_likes",
            "New likes",
            "Likes that came between two collections of a post, on the day of the later one. Of "
            "a post's first collection they count if it was published in the 24 hours before",
            "likes",
            _new("likes"),
            source="Differences of the counters that the platforms show",
        ),
        Metric(
            "new_comments",
            "New comments",
            "Comments that came between two collections of a post, counted as new likes are",
            "comments",
            _new("comments"),
            source="Differences of the counters that the platforms show",
        ),
        Metric(
            "new_shares",
            "New shares",
            "Shares that came between two collections of a post, counted as new likes are",
            "shares",
            _new("shares"),
            source="Differences of the counters that the platforms show",
        ),
        Metric(
            "new_views",
            "New views",
            "Views that came between two collections of a post, counted as new likes are",
            "views",
            _new("views"),
            source="Differences of the counters that the platforms show",
        ),
        Metric(
            "new_engagement",
            "New engagement",
            "New likes, comments and shares of posts",
            "interactions",
            _new(*_ENGAGEMENT),
            source="Differences of the counters that the platforms show",
        ),
        Metric(
            "corrections",
            "Corrections",
            "Likes, comments and shares that the platforms took back: a counter fell between two "
            "collections. New engagement does not fall by them",
            "interactions",
            Total("taken_back_sum", only(counter=_ENGAGEMENT)),
            source="Differences of the counters that the platforms show",
            rises_is_good=False,
        ),
        Metric(
            "found_engagement",
            "Engagement before collection",
            "Likes, comments and shares that posts older than 24 hours already had when they were "
            "collected first; they are not new",
            "interactions",
            Total("found_sum", only(counter=_ENGAGEMENT)),
            source="The first counters of a post that the platforms show",
            rises_is_good=None,
        ),
        Metric(
            "posts_published",
            "Posts published",
            "Posts by the day of their publication, also of days before they were collected",
            "posts",
            Total("posts"),
            source="The posts that the platforms list",
        ),
        Metric(
            "engagement_rate_by_followers",
            "Engagement rate by followers",
            "New engagement of a day for each follower on that day; over several days the mean "
            "of the days, weighted by followers",
            "ratio",
            Ratio(_new(*_ENGAGEMENT), Total("followers_sum")),
            source="Rival IQ, Social media benchmarks: engagement rate by followers",
        ),
    ),
    owner="team:collection",
    filled_by="track accounts with `social-assets track`, then `social-assets collect`",
)
