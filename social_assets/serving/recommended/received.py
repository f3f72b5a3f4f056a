"""What services send back: which items they showed, and what people did with them.

Belongs here: the paths and their documents. An answer says that every event is durable; an event
that is sent again has the same id, and is a duplicate. What the events mean belongs to the
contracts in `contracts.recommended`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from social_assets.contracts.recommended.recommendation_feedback import CLICK, DWELL
from social_assets.ingest.webhooks.webhook import WebhookEvent
from social_assets.serving.api.post_rows import posts_of
from social_assets.serving.api.prefix import PREFIX
from social_assets.serving.api.request.scope import check_may_write
from social_assets.serving.problems import ProblemError
from social_assets.serving.recommended.event_log import EXPOSURES, FEEDBACK
from social_assets.serving.requested import Requested, requested
from social_assets.serving.webhooks.group_commit import NotDurableError

router = APIRouter(prefix=PREFIX, tags=["recommendations"])

MOST_EVENTS = 1_000
_MOST_ITEMS = 100
_RETRY_SECONDS = 5

_Asked = Annotated[Requested, Depends(requested)]
_Id = Annotated[str, Field(min_length=1, max_length=500)]
_Name = Annotated[str, Field(min_length=1, max_length=100)]


class Exposure(BaseModel):
    """A list of items that was shown to a user."""

    model_config = ConfigDict(extra="forbid")
    exposure_id: _Id = Field(description="Yours; sent twice, a duplicate", examples=["8f14e45f"])
    shown_at: AwareDatetime = Field(examples=["2026-11-30T12:00:00Z"])
    platform: _Name = Field(examples=["instagram"])
    user_id: _Id
    item_ids: list[_Id] = Field(
        description="In the order in which they were shown", min_length=1, max_length=_MOST_ITEMS
    )
    first_position: int = Field(
        default=1, ge=1, le=900, description="Position of the first of them; above 1 on later pages"
    )
    model: _Name = Field(description="As the recommendations told it", examples=["als"])
    model_version: _Name = Field(default="Unknown", description="As the recommendations told it")
    placement: _Name = Field(default="Unknown", examples=["home_feed"])
    propensities: list[Annotated[float, Field(gt=0, le=1)] | None] | None = Field(
        default=None,
        description="The chance of each item at its position, as the recommendations told it; null"
        " of an item that was not drawn",
    )

    @model_validator(mode="after")
    def _one_propensity_an_item(self) -> Self:
        if self.propensities is not None and len(self.propensities) != len(self.item_ids):
            raise ValueError("propensities must have one value for each of item_ids")
        return self


class Exposures(BaseModel):
    """Lists that were shown."""

    model_config = ConfigDict(extra="forbid")
    exposures: list[Exposure] = Field(min_length=1, max_length=MOST_EVENTS)


class FeedbackEvent(BaseModel):
    """What a user did with an item that was recommended."""

    model_config = ConfigDict(extra="forbid")
    feedback_id: _Id = Field(description="Yours; sent twice, a duplicate", examples=["c9f0f895"])
    happened_at: AwareDatetime = Field(examples=["2026-11-30T12:00:05Z"])
    platform: _Name = Field(examples=["instagram"])
    user_id: _Id
    item_id: _Id
    kind: Literal["click", "skip", "dwell"]
    dwell_seconds: float | None = Field(
        default=None, ge=0, le=86_400, description="How long the user stayed; of dwell alone"
    )

    @model_validator(mode="after")
    def _seconds_of_dwell_alone(self) -> Self:
        if (self.kind == DWELL) != (self.dwell_seconds is not None):
            raise ValueError("dwell_seconds is given with the kind dwell, and with no other")
        return self


class Feedback(BaseModel):
    """Events of feedback."""

    model_config = ConfigDict(extra="forbid")
    feedback: list[FeedbackEvent] = Field(min_length=1, max_length=MOST_EVENTS)


class Stored(BaseModel):
    """How many events of the request would survive a crash of the machine: all of them."""

    stored: int = Field(examples=[1])


@router.post("/exposures", responses={403: {}, 413: {}})
async def exposures(asked: _Asked, sent: Exposures) -> Stored:
    """Log which items were shown to whom, at which position, by which model."""
    shown = sent.exposures
    await _check_items(asked, [item for each in shown for item in each.item_ids])
    events = [event for each in shown for event in _events_of_exposure(each)]
    return await _stored(asked, events, len(shown))


@router.post("/feedback", responses={403: {}, 413: {}})
async def feedback(asked: _Asked, sent: Feedback) -> Stored:
    """Log clicks, skips and stays. A click is folded into the user's recommendations."""
    given = sent.feedback
    await _check_items(asked, [each.item_id for each in given])
    found = await _stored(asked, [_event_of_feedback(each) for each in given], len(given))
    clicks = [
        (each.user_id, each.item_id, each.happened_at) for each in given if each.kind == CLICK
    ]
    if clicks:
        asked.services.lists.note_clicks(clicks)
    return found


async def _check_items(asked: Requested, items: Sequence[str]) -> None:
    """Raise ProblemError unless the caller may write about these items."""
    caller = asked.known_caller
    check_may_write(caller)
    if caller.sees_all:
        return
    wanted = sorted(set(items))
    shown = await asked.services.warehouse.run(
        lambda client: {row.post_id for row in posts_of(client, caller, wanted)}, asked.id
    )
    hidden = [item for item in wanted if item not in shown]
    if hidden:
        raise ProblemError(
            403,
            f"{len(hidden)} items are of accounts that the key does not see, or that there are "
            f"not: {hidden[0][:100]}",
            f"Name posts of {PREFIX}/posts.",
            parameter="item_id",
        )


async def _stored(asked: Requested, events: Sequence[WebhookEvent], count: int) -> Stored:
    try:
        await asked.services.events.store(events)
    except NotDurableError as error:
        # The reason is in the log.
        raise ProblemError(
            503,
            "the events cannot be stored now; none of them counts as sent",
            f"Send them again in {_RETRY_SECONDS} seconds, with the same ids.",
            retry_after=_RETRY_SECONDS,
        ) from error
    return Stored(stored=count)


def _events_of_exposure(shown: Exposure) -> list[WebhookEvent]:
    """One record an item."""
    same = {
        "exposure_id": shown.exposure_id,
        "shown_at": _text(shown.shown_at),
        "platform": shown.platform,
        "user_id": shown.user_id,
        "model": shown.model,
        "model_version": shown.model_version,
        "placement": shown.placement,
    }
    chances = shown.propensities or [None] * len(shown.item_ids)
    return [
        _event(EXPOSURES, {**same, "position": position, "item_id": item, "propensity": chance})
        for position, (item, chance) in enumerate(
            zip(shown.item_ids, chances, strict=True), shown.first_position
        )
    ]


def _event_of_feedback(given: FeedbackEvent) -> WebhookEvent:
    record = {**given.model_dump(), "happened_at": _text(given.happened_at)}
    return _event(FEEDBACK, record)


def _event(stream: str, record: dict[str, object]) -> WebhookEvent:
    return WebhookEvent(stream, json.dumps(record, separators=(",", ":")).encode())


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds")
