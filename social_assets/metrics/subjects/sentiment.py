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
from social_assets.warehouse.text_tables import ACCOUNT_HOURS, POST_DAYS, SENTIMENT, keyed

_KEYED = ", ".join(
    f"{keyed(column)} AS {name}_key"
    for name, column in (("platform", "platform"), ("account", "account_id"), ("post", "post_id"))
)
_FACT = f"(SELECT event_date, event_time, stream, {_KEYED}, label, score FROM {SENTIMENT})"

POST_OF_TEXT = KeyDimension(
    name="post",
    description="The post; of a comment the one that it is about",
    column="post_key",
    # Comments may be about posts that no stream has.
    members=f"(SELECT DISTINCT {keyed('post_id')} AS post_key, post_id FROM {SENTIMENT})",
    label="post_id",
)
LABEL = Dimension(name="label", description="negative, neutral or positive", column="label")

_MEASURES = ("score_sum", "texts")
_TEXTS = Total("texts")
_SCORES = "Scores of the model that `text/sentiment` names (docs/text.md)"

SUBJECT = Subject(
    name="sentiment",
    description="Sentiment of posts and of comments on them, by account, post, platform and label",
    fact=_FACT,
    sources=tuple(
        SourceTable(stream, SENTIMENT) for stream in ("posts", "posts_collected", "comments")
    ),
    dimensions=(PLATFORM, ACCOUNT, POST_OF_TEXT, LABEL, STREAM, HOUR_OF_DAY, WEEKDAY),
    measures=(
        Measure("score_sum", Aggregate.SUM, "score"),
        Measure("texts", Aggregate.COUNT),
    ),
    rollups=(
        RollupTable(
            POST_DAYS.table,
            Grain.DAY,
            ("account", "post", "platform", "stream", "label"),
            _MEASURES,
            is_view=True,
        ),
        RollupTable(
            ACCOUNT_HOURS.table,
            Grain.HOUR,
            ("account", "platform", "stream", "label"),
            _MEASURES,
            "event_hour",
            is_view=True,
        ),
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
