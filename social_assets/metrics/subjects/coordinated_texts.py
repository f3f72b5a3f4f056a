"""Coordinated texts: how often many authors write the same within seconds.

Belongs here: the subject and its metrics, over `features.coordinated_texts`. Which texts are equal,
and from which limits on they are coordinated, belongs to the dbt model of that table.
"""

from __future__ import annotations

from social_assets.metrics.dimension import HOUR_OF_DAY, PLATFORM, WEEKDAY
from social_assets.metrics.formula import Ratio, Total
from social_assets.metrics.measure import Aggregate, Measure
from social_assets.metrics.metric import Metric, SourceTable, Subject
from social_assets.warehouse.dbt.behaviour_limits import TEXT_LIMITS

_TABLE = "features.coordinated_texts"
_STREAMS = ("posts", "posts_collected", "comments")
_BURSTS = Total("bursts")
_SOURCE = f"{TEXT_LIMITS} (docs/unusual_behaviour.md)"

SUBJECT = Subject(
    name="coordinated_texts",
    description="Bursts of equal texts or links by many authors, by platform",
    fact=_TABLE,
    sources=tuple(SourceTable(stream, _TABLE) for stream in _STREAMS),
    dimensions=(PLATFORM, HOUR_OF_DAY, WEEKDAY),
    measures=(
        Measure("bursts", Aggregate.COUNT),
        Measure("authors_sum", Aggregate.SUM, "authors"),
        Measure("texts_sum", Aggregate.SUM, "texts"),
    ),
    rollups=(),
    metrics=(
        Metric(
            "coordinated_bursts",
            "Bursts of coordinated texts",
            f"How often {TEXT_LIMITS.least_authors} authors or more wrote the same within seconds",
            "bursts",
            _BURSTS,
            source=_SOURCE,
        ),
        Metric(
            "coordinated_texts",
            "Coordinated texts",
            "Posts and comments of these bursts",
            "texts",
            Total("texts_sum"),
            source=_SOURCE,
        ),
        Metric(
            "authors_per_burst",
            "Authors of a burst",
            "Mean number of different authors of a burst",
            "users",
            Ratio(Total("authors_sum"), _BURSTS),
            source=_SOURCE,
        ),
    ),
    nothing="No burst of equal texts in this range.",
)
