"""What the recommenders serve: posts for a user, and posts like a post.

Belongs here: reading the serving tables of `recommend`. Before the first training there are none,
and the answer is empty with a note.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, Field

from social_assets.recommend.serving_tables import ServingTable
from social_assets.recommend.similar_items import SIMILAR_ITEMS
from social_assets.recommend.top_n import TOP_N
from social_assets.serving.api.post_rows import posts_of
from social_assets.serving.api.prefix import PREFIX
from social_assets.serving.api.request.parameters import check_parameters
from social_assets.serving.api.times import UtcTime
from social_assets.serving.callers import Caller
from social_assets.serving.requested import Requested, requested

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

router = APIRouter(prefix=PREFIX, tags=["recommendations"])

_NOT_TRAINED = "No recommender has been trained; `social-assets recsys train` trains one."


class Item(BaseModel):
    """A recommended or similar post."""

    rank: int = Field(examples=[1])
    item_id: str = Field(examples=["p17"])
    score: float = Field(description="Compare within one list only")


class Items(BaseModel):
    """A list of the champion, best first."""

    items: list[Item]
    model: str | None = Field(examples=["als"])
    model_version: str | None = None
    computed_at: UtcTime | None = None
    note: str | None = None


@router.get("/users/{user_id}/recommendations")
async def recommendations(
    request: Request,
    asked: Annotated[Requested, Depends(requested)],
    user_id: Annotated[str, Path(max_length=500)],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Items:
    """The posts that the champion recommends to a user; empty for one that it does not know."""
    check_parameters(request)
    return await asked.services.warehouse.run(
        lambda client: _items(
            client, asked.known_caller, TOP_N, ("user_id", "item_id"), user_id, limit
        ),
        asked.id,
    )


@router.get("/items/{item_id}/similar")
async def similar(
    request: Request,
    asked: Annotated[Requested, Depends(requested)],
    item_id: Annotated[str, Path(max_length=500)],
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
) -> Items:
    """The posts that are most like a post."""
    check_parameters(request)
    return await asked.services.warehouse.run(
        lambda client: _items(
            client,
            asked.known_caller,
            SIMILAR_ITEMS,
            ("item_id", "similar_item_id"),
            item_id,
            limit,
        ),
        asked.id,
    )


def _items(  # noqa: PLR0917 - each is another thing
    client: Client,
    caller: Caller,
    table: ServingTable,
    columns: tuple[str, str],
    of: str,
    limit: int,
) -> Items:
    [[exists]] = client.query(f"EXISTS TABLE {table.name}").result_rows
    if not exists:
        return Items(items=[], model=None, note=_NOT_TRAINED)
    key, item = columns
    found = client.query(
        f"SELECT rank, {item}, score, model, model_version, computed_at\nFROM {table.name}\n"
        f"WHERE {key} = {{of:String}}\nORDER BY rank",
        parameters={"of": of},
    ).result_rows
    if not caller.sees_all:
        shown = {row.post_id for row in posts_of(client, caller, [of, *(r[1] for r in found)])}
        is_hidden = key == "item_id" and of not in shown
        found = [] if is_hidden else [row for row in found if row[1] in shown]
    first = found[0] if found else (None,) * 6
    return Items(
        items=[Item(rank=row[0], item_id=row[1], score=row[2]) for row in found[:limit]],
        model=first[3],
        model_version=first[4],
        computed_at=first[5],
    )
