"""What a user is recommended: from lists in memory, with the newest interactions folded in.

Belongs here: the path and its document. No request asks the warehouse, except one of a key that
sees some accounts alone.
"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import Field

from social_assets.recommend.list_rules import ServedRules
from social_assets.serving.api.post_rows import posts_of
from social_assets.serving.api.prefix import PREFIX
from social_assets.serving.api.request.parameters import check_parameters
from social_assets.serving.api.similar_items import NOT_TRAINED, Item, Items
from social_assets.serving.recommended.lists import RankedItem
from social_assets.serving.recommended.served_lists import ServedContent
from social_assets.serving.requested import Requested, requested

router = APIRouter(prefix=PREFIX, tags=["recommendations"])

_UNKNOWN = "Nothing is known of this user: the most popular posts."


class RecommendedItem(Item):
    """A recommended post, and how it came to its place."""

    model_rank: int | None = Field(
        default=None,
        description="Its place by the model's score alone: another than its rank if the rules of"
        " lists have moved it; null for a post that is tried",
    )
    propensity: float | None = Field(
        default=None,
        description="The chance with which it was drawn for its place, to be sent with the"
        " exposure; null if it was not drawn",
    )


class Recommended(Items):
    """What a user is recommended, and where it comes from."""

    items: list[RecommendedItem]  # type: ignore[assignment]  # a narrower item
    rules: ServedRules | None = Field(
        default=None, description="The rules by which the list is made; null without rules"
    )
    source: Literal["list", "fold_in", "popularity"] | None = Field(
        default=None,
        description=(
            "`list`: made beforehand; `fold_in`: made anew, because the user has interactions that "
            "the list lacks; `popularity`: nothing is known of the user, and a score is the "
            "number of users of the post"
        ),
    )
    folded_in: list[str] = Field(
        default=[], description="The posts of these interactions, newest first"
    )


@router.get("/users/{user_id}/recommendations", response_model=Recommended)
async def recommendations(
    request: Request,
    asked: Annotated[Requested, Depends(requested)],
    user_id: Annotated[str, Path(max_length=500)],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """The posts that the champion recommends to a user, without those that the user knows."""
    check_parameters(request)
    content = await asked.services.lists.current(asked.id)
    if content is None:
        return _answer(Recommended(items=[], model=None, note=NOT_TRAINED))
    found = await asked.services.lists.answer(content, user_id, asked.id)
    entries = await visible_entries(asked, found.entries)
    if content.explorer is not None:
        had = [*found.folded_in, *content.items_of(user_id)]
        entries = content.explorer.explored(user_id, entries, had, limit)
        entries = await visible_entries(asked, entries)
    items = [
        RecommendedItem(
            rank=rank,
            item_id=each.item_id,
            score=each.score,
            model_rank=each.model_rank,
            propensity=each.chance,
        )
        for rank, each in enumerate(entries[:limit], 1)
    ]
    return _answer(
        Recommended(
            items=items,
            model=content.state.model,
            model_version=content.state.version,
            computed_at=found.computed_at,
            note=_UNKNOWN if found.source == "popularity" else None,
            source=found.source,
            folded_in=found.folded_in,
            rules=_rules(content),
        )
    )


def _rules(content: ServedContent) -> ServedRules | None:
    places = () if content.explorer is None else content.explorer.places
    rules = content.rules.model_copy(update={"explored_places": places})
    return rules if rules.text() else None


def _answer(document: Recommended) -> Response:
    """Not kept by a cache: an interaction is folded in within a minute. Validated once."""
    return Response(
        document.model_dump_json(),
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


async def visible_entries(asked: Requested, entries: list[RankedItem]) -> list[RankedItem]:
    """Those that the caller may see."""
    caller = asked.known_caller
    if caller.sees_all or not entries:
        return entries
    ids = [each.item_id for each in entries]
    shown = await asked.services.warehouse.run(
        lambda client: {row.post_id for row in posts_of(client, caller, ids)}, asked.id
    )
    return [each for each in entries if each.item_id in shown]
