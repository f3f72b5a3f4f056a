"""Why a user is recommended a post: the posts of the user that weighed most.

Belongs here: the path and its document. How much a post weighs belongs to `recsys.scoring.lists`.
"""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, Field

from social_assets.serving.api.prefix import PREFIX
from social_assets.serving.api.request.parameters import check_parameters
from social_assets.serving.api.similar_items import NOT_TRAINED
from social_assets.serving.problems import ProblemError
from social_assets.serving.recommended.lists import RankedItem
from social_assets.serving.recommended.recommendations import visible_entries
from social_assets.serving.requested import Requested, requested

router = APIRouter(prefix=PREFIX, tags=["recommendations"])

_ABSENT = "This server does not have the model that made the lists; its log says why."
_NONE = "No post of the user speaks for this one by itself, as with popularity."


class Reason(BaseModel):
    """A post that the user has."""

    item_id: str = Field(examples=["p3"])
    weight: float = Field(
        description="The score of the recommended post for someone who has this post alone, above"
        " the mean of all posts; compare within one answer only"
    )


class Reasons(BaseModel):
    """The posts of a user that weighed most for a recommended one, the heaviest first."""

    reasons: list[Reason]
    model: str | None = Field(examples=["als"])
    model_version: str | None = None
    note: str | None = None


@router.get("/users/{user_id}/recommendations/{item_id}/reasons", responses={404: {}})
async def reasons(
    request: Request,
    asked: Annotated[Requested, Depends(requested)],
    user_id: Annotated[str, Path(max_length=500)],
    item_id: Annotated[str, Path(max_length=500)],
    limit: Annotated[int, Query(ge=1, le=20)] = 3,
) -> Reasons:
    """Why a post is recommended to a user, by what the user had when the model was trained."""
    from recsys.scoring.lists.reasons import reasons as reasons_of

    check_parameters(request)
    content = await asked.services.lists.current(asked.id)
    if content is None or content.model is None:
        return Reasons(reasons=[], model=None, note=NOT_TRAINED if content is None else _ABSENT)
    offered = [RankedItem(item_id, 0.0, None)]
    if not await visible_entries(asked, offered):
        raise _unknown("item", item_id)
    model = content.model
    for kind, place_of, name in (
        ("user", model.user_index, user_id),
        ("item", model.item_index, item_id),
    ):
        try:
            place_of(name)
        except KeyError as error:
            raise _unknown(kind, name) from error
    # Scores of up to 200 histories: not in the event loop.
    found = await asyncio.to_thread(reasons_of, model, user_id, item_id, limit)
    weighed = zip(found["item_id"].to_pylist(), found["weight"].to_pylist(), strict=True)
    entries = await visible_entries(asked, [RankedItem(*each, None) for each in weighed])
    return Reasons(
        reasons=[Reason(item_id=each.item_id, weight=each.score) for each in entries],
        model=content.state.model,
        model_version=content.state.version,
        note=None if entries else _NONE,
    )


def _unknown(kind: str, name: str) -> ProblemError:
    return ProblemError(
        404,
        f"the model does not know the {kind} {name[:100]}",
        "Name a user with interactions, and a post of the user's recommendations that was not"
        " drawn; both are known after the next training.",
        parameter=f"{kind}_id",
    )
