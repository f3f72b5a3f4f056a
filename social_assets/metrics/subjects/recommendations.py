"""Recommended items: how many are shown, at which position, and how many are clicked.

Belongs here: the subject and its metrics, over `features.recommendation_exposures`. Which feedback
belongs to an exposure is decided by the dbt model of that table.
"""

from __future__ import annotations

from social_assets.metrics.dimension import HOUR_OF_DAY, PLATFORM, WEEKDAY, Dimension
from social_assets.metrics.formula import Distinct, Ratio, Total
from social_assets.metrics.grain import Grain
from social_assets.metrics.measure import Aggregate, Measure
from social_assets.metrics.metric import Metric, RollupTable, SourceTable, Subject
from social_assets.metrics.users import USERS

_TABLE = "features.recommendation_exposures"
_STREAMS = ("recommendation_exposures", "recommendation_feedback")
_EXPOSURES = Total("exposures")
_SOURCE = "Feedback belongs to the newest exposure in the 24 hours before it (docs/recommenders.md)"

POSITION = Dimension(
    name="position", description="Place in the list, from 01; two digits or more", column="place"
)
MODEL = Dimension(name="model", description="The recommender that ranked the item", column="model")
PLACEMENT = Dimension(
    name="placement", description="The place of the list in the app", column="placement"
)

SUBJECT = Subject(
    name="recommendations",
    description="Recommended items that were shown, and what people did with them",
    fact=_TABLE,
    sources=tuple(SourceTable(stream, _TABLE) for stream in _STREAMS),
    dimensions=(PLATFORM, POSITION, MODEL, PLACEMENT, HOUR_OF_DAY, WEEKDAY),
    measures=(
        Measure("exposures", Aggregate.COUNT),
        Measure("clicked", Aggregate.SUM, "is_clicked"),
        Measure("clicks_sum", Aggregate.SUM, "clicks"),
        Measure("skips_sum", Aggregate.SUM, "skips"),
        Measure("dwells_sum", Aggregate.SUM, "dwells"),
        Measure("dwell_seconds_sum", Aggregate.SUM, "dwell_seconds"),
        USERS,
    ),
    rollups=(
        RollupTable(
            "features.recommendation_positions_daily",
            Grain.DAY,
            ("platform", "position", "model", "placement"),
            (
                "exposures",
                "clicked",
                "clicks_sum",
                "skips_sum",
                "dwells_sum",
                "dwell_seconds_sum",
                "users",
            ),
        ),
    ),
    metrics=(
        Metric(
            "recommended_items",
            "Recommended items shown",
            "Items of recommended lists that were shown in the period",
            "items",
            _EXPOSURES,
            source=_SOURCE,
        ),
        Metric(
            "recommendation_users",
            "Users with recommendations",
            "Different users who were shown a recommended list",
            "users",
            Distinct("users"),
            source=_SOURCE,
        ),
        Metric(
            "recommendation_clicks",
            "Clicks on recommendations",
            "Clicks on items that were shown in the period",
            "clicks",
            Total("clicks_sum"),
            source=_SOURCE,
        ),
        Metric(
            "recommendation_click_through_rate",
            "Click-through of recommendations",
            "The part of the shown items that has a click",
            "ratio",
            Ratio(Total("clicked"), _EXPOSURES),
            source=_SOURCE,
        ),
        Metric(
            "recommendation_skip_rate",
            "Skips of recommendations",
            "Skips of a shown item, on average",
            "ratio",
            Ratio(Total("skips_sum"), _EXPOSURES),
            source=_SOURCE,
            rises_is_good=False,
        ),
        Metric(
            "recommendation_dwell_time",
            "Stay with a recommendation",
            "Mean time of a stay that was reported",
            "seconds",
            Ratio(Total("dwell_seconds_sum"), Total("dwells_sum")),
            source=_SOURCE,
        ),
    ),
    filled_by="send what is shown to /api/v1/exposures, and clicks to /api/v1/feedback",
)
