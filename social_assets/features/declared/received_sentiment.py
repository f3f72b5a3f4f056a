"""Sentiment of the comments that accounts and posts received on the last days."""

from datetime import timedelta

from social_assets.features.feature import Feature, FeatureType, Mean, Sum
from social_assets.features.feature_view import ACCOUNT, POST, Entity, FeatureView, WatchedTable
from social_assets.features.history import DailyTable, DailyWindows
from social_assets.warehouse.text_tables import SCORED_TEXTS, SENTIMENT, keyed


def _received(entity: Entity, whom: str) -> FeatureView:
    return FeatureView(
        name=f"{entity.name}_sentiment",
        description=f"Sentiment of comments that {whom} received over the last days that ended",
        entity=entity,
        watched=(WatchedTable(SENTIMENT, keyed("platform"), keyed(entity.id_column)),),
        event_time="event_time",
        time_to_live=timedelta(days=90),
        history=DailyWindows(
            tables=(
                DailyTable(
                    SCORED_TEXTS,
                    (("comments", "1"), ("negative", "label = 'negative'"), ("score", "score")),
                    "stream = 'comments'",
                ),
            ),
            counts=("comments", "negative"),
            amounts=("score",),
        ),
        features=(
            Feature(
                "comments_scored_28d",
                FeatureType.INTEGER,
                "Comments with a score on the last 28 days",
                Sum("comments", 28),
            ),
            Feature(
                "sentiment_7d",
                FeatureType.NUMBER,
                "Mean score of the comments of the last 7 days, from -1 to 1",
                Mean("score", "comments", 7),
            ),
            Feature(
                "sentiment_28d",
                FeatureType.NUMBER,
                "Mean score of the comments of the last 28 days, from -1 to 1",
                Mean("score", "comments", 28),
            ),
            Feature(
                "negative_share_28d",
                FeatureType.NUMBER,
                "The part of the comments of the last 28 days that is negative",
                Mean("negative", "comments", 28),
            ),
        ),
    )


VIEWS = (_received(ACCOUNT, "an account"), _received(POST, "a post"))
