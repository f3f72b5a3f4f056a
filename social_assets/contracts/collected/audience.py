"""Figures of accounts and their audiences, as the platforms show them: one row a figure.

Belongs here: what a figure has, and where each platform's record holds it.
"""

from collections.abc import Mapping
from datetime import datetime

import pandera.ibis as pa

from social_assets.contracts.collected.envelope import OF_EVERY_DAY, OWNER
from social_assets.contracts.contract import Contract, HashOf

_GRAPH: Mapping[str, str | tuple[str, ...]] = {
    "metric": ("within.0.name", "within.1.name"),
    "period": ("within.0.period", "within.1.period"),
    "ends_at": "record.end_time",
    "value": "record.value",
    "dimension": "within.0.dimension_keys.0",
    "second_dimension": "within.0.dimension_keys.1",
    "segment": "record.dimension_values.0",
    "second_segment": "record.dimension_values.1",
}
"""The Graph API gives figures by day, and breakdowns by one or two dimensions."""


class AudienceFigure(pa.DataFrameModel):
    """A figure of an account: of a period, or of a segment of its followers."""

    figure_id: str = pa.Field(
        metadata={
            "derive": HashOf(
                (
                    *("platform", "account_id", "metric", "period", "ends_at", "collected_at"),
                    *("dimension", "segment", "second_dimension", "second_segment"),
                )
            )
        },
        description="The figure in this collection",
    )
    platform: str = pa.Field(metadata={"categorical": True}, description="Where the account is")
    account_id: str = pa.Field(description="The platform's id of the account")
    collected_at: datetime = pa.Field(description="The collection that it belongs to, UTC")
    metric: str = pa.Field(
        metadata={"categorical": True}, description="The platform's name of the figure"
    )
    period: str = pa.Field(
        default="", metadata={"categorical": True}, description="`day`, `lifetime` and so on"
    )
    ends_at: datetime = pa.Field(nullable=True, description="The end of its period, UTC")
    dimension: str = pa.Field(
        default="", metadata={"categorical": True}, description="What the segment is of: `age`"
    )
    segment: str = pa.Field(default="", description="The segment: `18-24`")
    second_dimension: str = pa.Field(
        default="", metadata={"categorical": True}, description="A second one: `gender`"
    )
    second_segment: str = pa.Field(default="", description="The segment of that: `F`")
    value: float = pa.Field(nullable=True, description="The figure; missing if it is not a number")


CONTRACT = Contract(
    name="audience",
    model=AudienceFigure,
    key=("figure_id",),
    critical=("account_id", "metric"),
    event_time="collected_at",
    formats=("ndjson",),
    owner=OWNER,
    freshness=OF_EVERY_DAY,
    sources={"Instagram": _GRAPH, "Facebook": _GRAPH},
)
