"""Reactions that accounts and posts received on the last days, from the facts."""

from datetime import timedelta

from social_assets.features.feature import Feature, FeatureType, Since, Sum
from social_assets.features.feature_view import ACCOUNT, POST, Entity, FeatureView, WatchedTable
from social_assets.features.history import DailyTable, DailyWindows

_KINDS = ("like", "comment", "share", "view")


def _received(entity: Entity, whom: str) -> FeatureView:
    return FeatureView(
        name=f"{entity.name}_engagement",
        description=f"Reactions that {whom} received over the last days that have ended",
        entity=entity,
        watched=(WatchedTable("star.fact_engagement"),),
        event_time="event_time",
        time_to_live=timedelta(days=90),
        history=DailyWindows(
            tables=(
                DailyTable(
                    "star.fact_engagement",
                    (("reactions", "1"), *((f"{k}s", f"metric_type = '{k}'") for k in _KINDS)),
                ),
            ),
            counts=("reactions", *(f"{kind}s" for kind in _KINDS)),
        ),
        features=(
            Feature(
                "reactions_7d",
                FeatureType.INTEGER,
                "Reactions on the last 7 days",
                Sum("reactions", 7),
            ),
            Feature(
                "reactions_28d",
                FeatureType.INTEGER,
                "Reactions on the last 28 days",
                Sum("reactions", 28),
            ),
            *(
                Feature(
                    f"{kind}s_28d",
                    FeatureType.INTEGER,
                    f"Events of the kind {kind} on the last 28 days",
                    Sum(f"{kind}s", 28),
                )
                for kind in _KINDS
            ),
            Feature(
                "days_since_reaction", FeatureType.INTEGER, "Days since the last reaction", Since()
            ),
        ),
    )


VIEWS = (_received(ACCOUNT, "an account"), _received(POST, "a post"))
