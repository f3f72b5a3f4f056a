"""Posts: found by account and words, ordered by time or by a metric; and the metrics of one.

Belongs here: the paths and their documents. The SQL over the star schema is in `post_rows`.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, Field

from social_assets.metrics.planner.read_question import Texts
from social_assets.serving.api.post_rows import PostFilter, PostRow, newest_posts, posts_of
from social_assets.serving.api.prefix import PREFIX
from social_assets.serving.api.query import QueryAnswer, answer_to, document_of
from social_assets.serving.api.request.cursor import Cursors
from social_assets.serving.api.request.parameters import check_parameters, listed
from social_assets.serving.api.times import UtcTime
from social_assets.serving.problems import ProblemError
from social_assets.serving.requested import Requested, requested

router = APIRouter(prefix=PREFIX, tags=["posts"])

MOST_ROWS = 100
NEWEST = "published_at"
_DEFAULT = "likes,comments,shares,views,engagement_rate"
_MOST_FOUND = 1_000
"""Posts found by words that are ordered by a metric: the newest ones."""
_Values = dict[str, int | float | None]


class PostDocument(BaseModel):
    """One post, with metrics of the range."""

    post_id: str = Field(examples=["p17"])
    account_id: str | None = Field(examples=["1024"])
    platform: str = Field(examples=["Instagram"])
    media_type: str = Field(examples=["image"])
    content: str
    tags: list[str]
    published_at: UtcTime | None
    metrics: dict[str, int | float | None] = Field(examples=[{"likes": 120, "views": 4000}])


class PostsDocument(BaseModel):
    """One page of posts."""

    posts: list[PostDocument]
    next: str | None = Field(description="Cursor of the next page; null on the last one")


@router.get("/posts")
async def posts(  # noqa: PLR0917 - FastAPI calls it by name
    request: Request,
    asked: Annotated[Requested, Depends(requested)],
    account: Annotated[str, Query(max_length=200, description="The platform's id")] = "",
    platform: Annotated[str, Query(max_length=100)] = "",
    search: Annotated[
        str, Query(max_length=200, description="Words that the text has, all of them")
    ] = "",
    sort: Annotated[str, Query(max_length=100, description="published_at, or a metric")] = NEWEST,
    metrics: Annotated[str, Query(max_length=1000)] = _DEFAULT,
    preset: Annotated[str, Query(alias="range", max_length=40)] = "last_30_days",
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 20,
    cursor: Annotated[str, Query(max_length=500)] = "",
) -> PostsDocument:
    """Posts, newest first or by a metric of the range, greatest first."""
    check_parameters(request)
    cursors = Cursors.of(request, asked)
    after = cursors.read(cursor) if cursor else []
    chosen = PostFilter(account, platform, tuple(search.split()))
    texts = Texts(metrics=listed([metrics]), range=preset, by=("post",), limit=MOST_ROWS)
    if sort == NEWEST:
        rows = await asked.services.warehouse.run(
            lambda client: newest_posts(client, asked.known_caller, chosen, after, limit + 1),
            asked.id,
        )
        place: list[str | int] = (
            [rows[limit - 1].sorted_at, rows[limit - 1].post_id] if (len(rows) > limit) else []
        )
        rows = rows[:limit]
        values = await _values(asked, texts, {row.post_id: None for row in rows})
    else:
        offset = int(after[0]) if after else 0
        rows, values = await _sorted(asked, texts, chosen, sort, offset, limit + 1)
        place = [offset + limit] if len(rows) > limit else []
        rows = rows[:limit]
    return PostsDocument(
        posts=[_document(row, values.get(row.post_id, {})) for row in rows],
        next=cursors.write(place) if place else None,
    )


@router.get("/posts/{post_id}/metrics", responses={404: {}})
async def metrics_of_post(  # noqa: PLR0917 - FastAPI calls it by name
    request: Request,
    asked: Annotated[Requested, Depends(requested)],
    post_id: Annotated[str, Path(max_length=500)],
    metrics: Annotated[str, Query(max_length=1000)] = _DEFAULT,
    start: Annotated[str, Query(alias="from", max_length=40)] = "",
    end: Annotated[str, Query(alias="to", max_length=40)] = "",
    preset: Annotated[str, Query(alias="range", max_length=40)] = "",
    grain: Annotated[str, Query(max_length=20)] = "total",
    zone: Annotated[str, Query(max_length=40)] = "UTC",
) -> QueryAnswer:
    """Metrics of one post. 404 if there is no such post, or the key may not see its account."""
    check_parameters(request)
    found = await asked.services.warehouse.run(
        lambda client: posts_of(client, asked.known_caller, [post_id]), asked.id
    )
    if not found:
        raise ProblemError(
            404, "there is no such post", f"{PREFIX}/posts lists posts.", parameter="post_id"
        )
    texts = Texts(
        metrics=listed([metrics]), start=start, end=end, range=preset, grain=grain, zone=zone
    )
    return document_of(await answer_to(asked, texts, {"post": (post_id,)}))


async def _sorted(  # noqa: PLR0917 - each is another thing
    asked: Requested, texts: Texts, chosen: PostFilter, sort: str, offset: int, count: int
) -> tuple[list[PostRow], dict[str, _Values]]:
    """The posts of a page by a metric, and their values."""
    where = chosen.where()
    if chosen.words:
        found = await asked.services.warehouse.run(
            lambda client: newest_posts(client, asked.known_caller, chosen, [], _MOST_FOUND),
            asked.id,
        )
        if not found:
            return [], {}
        where["post"] = tuple(row.post_id for row in found)
    metrics = dict.fromkeys((sort.removeprefix("-"), *texts.metrics))
    by_metric = Texts(
        metrics=tuple(metrics),
        range=texts.range,
        by=texts.by,
        order_by=sort,
        limit=min(offset + count, 10_000),
    )
    answer = await answer_to(asked, by_metric, where, {"order_by": "sort"})
    page = answer.rows[offset : offset + count]
    names = [each.name for each in answer.metrics]
    values = {row.group[0]: dict(zip(names, row.values, strict=True)) for row in page}
    rows = await asked.services.warehouse.run(
        lambda client: posts_of(client, asked.known_caller, list(values)), asked.id
    )
    known = {row.post_id: row for row in rows}
    return [known[post_id] for post_id in values if post_id in known], values


async def _values(asked: Requested, texts: Texts, page: dict[str, None]) -> dict[str, _Values]:
    """The metrics of some posts."""
    if not page:
        return {}
    answer = await answer_to(asked, texts, {"post": tuple(page)})
    names = [each.name for each in answer.metrics]
    return {row.group[0]: dict(zip(names, row.values, strict=True)) for row in answer.rows}


def _document(row: PostRow, values: _Values) -> PostDocument:
    return PostDocument(
        post_id=row.post_id,
        account_id=row.account_id,
        platform=row.platform,
        media_type=row.media_type,
        content=row.content,
        tags=list(row.tags),
        published_at=row.published_at,
        metrics=values,
    )
