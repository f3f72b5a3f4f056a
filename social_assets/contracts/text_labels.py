"""What people say of texts: one row for a text and the label that somebody gave it.

Belongs here: what a label has. Which label of a text counts, and what is learned from them, belongs
to `transform.text`.
"""

from datetime import datetime, timedelta

import pandera.ibis as pa

from social_assets.contracts.column import HashOf, Spellings
from social_assets.contracts.contract import Band, Contract, Drift, Freshness

_UNKNOWN = "Unknown"
_LABEL = Spellings(
    canonical={
        "negative": ("neg", "-1"),
        "neutral": ("neu", "0"),
        "positive": ("pos", "1", "+1"),
    },
    otherwise=_UNKNOWN,
)


class TextLabel(pa.DataFrameModel):
    """A text that a person has read, and whether it is negative, neutral or positive."""

    text_id: str = pa.Field(nullable=True, description="The post or comment, if it is known")
    text: str = pa.Field(description="The text that was read")
    label: str = pa.Field(
        metadata={"standardize": _LABEL, "categorical": True},
        notin=[_UNKNOWN],
        description="negative, neutral or positive",
    )
    language: str = pa.Field(nullable=True, description="Language of the text, as ISO 639-1 code")
    labelled_by: str = pa.Field(nullable=True, description="Who labelled it, or which set")
    labelled_at: datetime = pa.Field(nullable=True, description="When it was labelled, UTC")
    label_id: str = pa.Field(
        metadata={"derive": HashOf(("text", "label", "labelled_by", "labelled_at"))},
        description="Identity of the label: the same one sent twice is a duplicate",
    )


CONTRACT = Contract(
    name="text_labels",
    model=TextLabel,
    key=("label_id",),
    critical=("text", "label"),
    formats=("ndjson", "csv"),
    owner="team:content",
    # People label a set of texts, and then none for years.
    freshness=Freshness(timedelta(days=3650), timedelta(days=3651), may_be_empty=True),
    # Sets are of any size, and each has other columns: of a set's columns the labels alone count.
    drift=Drift(volume=Band(100.0, 10_000.0), missing=Band(1.0, 1.0)),
)
