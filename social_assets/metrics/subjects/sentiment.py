"""How people write: the sentiment of posts, and of comments on them.

Belongs here: the subject and its metrics, over `text.sentiment`. Which model gives a text its score
belongs to the asset `text/sentiment`.
"""

from __future__ import annotations

from social_assets.metrics.dimension import (
    ACCOUNT,
    HOUR_OF_DAY,
    PLATFORM,
    STREAM,
    WEEKDAY,
    Dimension,
    KeyDimension,
)
from social_assets.metrics.formula import Ratio, Total, only
from social_assets.metrics.grain import Grain
from social_assets.metrics.measure import Aggregate, Measure
from social_assets.metrics.metric import Metric, RollupTable, SourceTable, Subject
from social_assets.transform.text.sources import TEXT_SOURCES
from social_assets.warehouse.text_tables import (
    ACCOUNT_DAYS,
    ACCOUNT_HOURS,
    HOUR,
    POST_DAYS,
    SCORED_TEXTS,
    SENTIMENT,
    members_of,
)


def _of_texts(name: str, label: str, description: str) -> KeyDimension:
    """A dimension whose members are those of the texts: some may be in no other stream."""
    return KeyDimension(name, description, f"{name}_key", members_of(label), label)


PLATFORM_OF_TEXT = _of_texts("platform", "platform", PLATFORM.description)
ACCOUNT_OF_TEXT = _of_texts("account", "account_id", ACCOUNT.description)
POST_OF_TEXT = _of_texts("post", "post_id", "The post; of a comment the one that it is about")
LABEL = Dimension(name="label", description="negative, neutral or positive", column="label")

_KEYS = (PLATFORM_OF_TEXT, ACCOUNT_OF_TEXT, POST_OF_TEXT)
_OF_ACCOUNTS = ("account", "platform", "stream", "label")
_MEASURES = ("score_sum", "texts")
_TEXTS = Total("texts")
_SCORES = "Scores of the model that `text/sentiment` names (docs/text.md)"

SUBJECT = Subject(
    name="sentiment",
    description="Sentiment of posts and of comments on them, by account, post, platform and label",
    fact=SCORED_TEXTS,
    sources=tuple(SourceTable(each.stream, SENTIMENT) for each in TEXT_SOURCES),
    dimensions=(*_KEYS, LABEL, STREAM, HOUR_OF_DAY, WEEKDAY),
    measures=(
        Measure("score_sum", Aggregate.SUM, "score"),
        Measure("texts", Aggregate.COUNT),
    ),
    rollups=(
        RollupTable(ACCOUNT_DAYS.table, Grain.DAY, _OF_ACCOUNTS, _MEASURES, is_view=True),
        RollupTable(POST_DAYS.table, Grain.DAY, (*_OF_ACCOUNTS, "post"), _MEASURES, is_view=True),
        RollupTable(ACCOUNT_HOURS.table, Grain.HOUR, _OF_ACCOUNTS, _MEASURES, HOUR, is_view=True),
    ),
    metrics=(
        Metric(
            "sentiment",
            "Sentiment",
            "Mean score of posts and of comments on them, from -1, negative, to 1, positive",
            "score",
            Ratio(Total("score_sum"), _TEXTS),
            source=_SCORES,
        ),
        Metric(
            "negative_share",
            "Share of negative texts",
            "The part of the posts and comments that is negative",
            "ratio",
            Ratio(Total("texts", only(label=("negative",))), _TEXTS),
            source=_SCORES,
            rises_is_good=False,
        ),
        Metric(
            "texts",
            "Texts",
            "Posts and comments that have a score. Each version of a collected post that was "
            "edited is a text",
            "texts",
            _TEXTS,
            source=_SCORES,
            rises_is_good=None,
        ),
    ),
    owner="team:content",
    filled_by="load posts or collect comments; then the asset `text/sentiment` scores them",
)
