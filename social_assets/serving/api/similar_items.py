"""Posts like a post, as the champion ranks them.

Belongs here: reading the serving table. Before the first training there are none,
and the answer is empty with a note.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, Field

from social_assets.recommend.similar_items import SIMILAR_ITEMS
from social_assets.serving.api.post_rows import posts_of
from social_assets.serving.api.prefix import PREFIX
from social_assets.serving.api.request.parameters import check_parameters
from social_assets.serving.api.times import UtcTime
from social_assets.serving.callers import Caller
from social_assets.serving.requested import Requested, requested

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

router = APIRouter(prefix=PREFIX, tags=["recommendations"])

NOT_TRAINED = "No recommender has been trained; `social-assets recsys train` trains one."


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


@router.get("/items/{item_id}/similar")
async def similar(
    request: Request,
    asked: Annotated[Requested, Depends(requested)],
    item_id: Annotated[str, Path(max_length=500)],
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
) -> Items:
    """The posts that are most like a post."""
    check_parameters(request)
    caller = asked.known_caller
    return await asked.services.warehouse.run(
        lambda client: _items(client, caller, item_id, limit), asked.id
    )


def _items(client: Client, caller: Caller, of: str, limit: int) -> Items:
    [[exists]] = client.query(f"EXISTS TABLE {SIMILAR_ITEMS.name}").result_rows
    if not exists:
        return Items(items=[], model=None, note=NOT_TRAINED)
    found = client.query(
        "SELECT rank, similar_item_id, score, model, model_version, computed_at\n"
        f"FROM {SIMILAR_ITEMS.name}\n"
        "WHERE item_id = {of:String}\nORDER BY rank",
        parameters={"of": of},
    ).result_rows
    if not caller.sees_all:
        shown = {row.post_id for row in posts_of(client, caller, [of, *(r[1] for r in found)])}
        found = [row for row in found if row[1] in shown] if of in shown else []
    first = found[0] if found else (None,) * 6
    return Items(
        items=[Item(rank=row[0], item_id=row[1], score=row[2]) for row in found[:limit]],
        model=first[3],
        model_version=first[4],
        computed_at=first[5],
    )
