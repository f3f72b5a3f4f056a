"""How much interest a user has shown in posts on the last days."""

from datetime import timedelta

from social_assets.features.feature import Feature, FeatureType, Sum
from social_assets.features.feature_view import USER, FeatureView, WatchedTable
from social_assets.features.history import DailyTable, DailyWindows

VIEWS = (
    FeatureView(
        name="user_interest",
        description="Interest of a user in posts, by the weights of reactions, over the last days",
        entity=USER,
        watched=(WatchedTable("features.user_posts"),),
        event_time="event_date",
        time_to_live=timedelta(days=90),
        history=DailyWindows(
            tables=(DailyTable("features.user_posts", (("posts", "1"), ("interest", "interest"))),),
            counts=("posts",),
            amounts=("interest",),
        ),
        features=(
            Feature(
                "interest_7d", FeatureType.NUMBER, "Interest on the last 7 days", Sum("interest", 7)
            ),
            Feature(
                "interest_28d",
                FeatureType.NUMBER,
                "Interest on the last 28 days",
                Sum("interest", 28),
            ),
            Feature(
                "post_days_28d",
                FeatureType.INTEGER,
                "Posts with interest on the last 28 days, each once a day",
                Sum("posts", 28),
            ),
        ),
    ),
)
