"""The declared metrics: what may be asked, and what each number means."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from social_assets.metrics.grain import ANSWERED
from social_assets.metrics.metric import Metric, Subject
from social_assets.metrics.planner.read_question import PRESETS
from social_assets.metrics.registry import subjects
from social_assets.serving.api.prefix import PREFIX
from social_assets.serving.api.request.parameters import check_parameters
from social_assets.serving.requested import Requested, requested

router = APIRouter(prefix=PREFIX, tags=["metrics"])


class DimensionDocument(BaseModel):
    """What a metric may be divided or filtered by."""

    name: str = Field(examples=["platform"])
    description: str = Field(examples=["The platform, such as YouTube"])


class MetricDocument(BaseModel):
    """A number with a name."""

    name: str = Field(examples=["engagement_rate"])
    title: str = Field(examples=["Engagement rate by reach"])
    description: str
    unit: str = Field(examples=["ratio"])
    formula: str = Field(description="How it is computed, in words")
    additivity: str = Field(
        description=(
            "Whether values may be summed: additive, from_states, ratio, level or as_reported"
        ),
        examples=["ratio"],
    )
    source: str = Field(description="Who defines it so; empty if it is our own")
    rises_is_good: bool | None = Field(description="null: a rise is neither good nor bad")
    subject: str = Field(examples=["engagement"])
    dimensions: list[str] = Field(examples=[["platform", "account", "post"]])
    grains: list[str] = Field(examples=[["hour", "day", "week", "month", "total"]])
    owner: str


class MetricsDocument(BaseModel):
    """All that may be asked."""

    metrics: list[MetricDocument]
    dimensions: list[DimensionDocument]
    grains: list[str]
    ranges: list[str] = Field(description="Examples; any last_N_days and last_N_hours is read")


@router.get("/metrics")
async def all_metrics(
    request: Request, _: Annotated[Requested, Depends(requested)]
) -> MetricsDocument:
    """Every declared metric with unit, formula, grains and dimensions."""
    check_parameters(request)
    described = {
        each.name: each.description for subject in subjects() for each in subject.dimensions
    }
    return MetricsDocument(
        metrics=[
            metric_document(metric, subject) for subject in subjects() for metric in subject.metrics
        ],
        dimensions=[
            DimensionDocument(name=name, description=text)
            for name, text in sorted(described.items())
        ],
        grains=[grain.word for grain in ANSWERED],
        ranges=list(PRESETS),
    )


def metric_document(metric: Metric, subject: Subject) -> MetricDocument:
    """A metric as the API tells it."""
    return MetricDocument(
        name=metric.name,
        title=metric.title,
        description=metric.description,
        unit=metric.unit,
        formula=metric.formula.in_words(),
        additivity=metric.additivity.value,
        source=metric.source,
        rises_is_good=metric.rises_is_good,
        subject=subject.name,
        dimensions=[each.name for each in subject.dimensions],
        grains=[grain.word for grain in metric.grains],
        owner=subject.owner,
    )
