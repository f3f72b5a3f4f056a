"""`GET /api/v1/search`.

Belongs here: the path and its documents. What is found belongs to `ask`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from social_assets.serving.api.prefix import PREFIX
from social_assets.serving.api.request.cursor import Cursors
from social_assets.serving.api.request.parameters import check_parameters, listed
from social_assets.serving.api.times import UtcTime
from social_assets.serving.callers import Caller
from social_assets.serving.problems import ProblemError
from social_assets.serving.requested import Requested, requested
from social_assets.serving.search.ask import find
from social_assets.serving.search.found import FoundDocument, FoundDocuments
from social_assets.serving.search.question import MOST_ROWS, Search, SearchError, SearchTexts
from social_assets.serving.search.read import read_search

router = APIRouter(prefix=PREFIX, tags=["search"])

_Q = Query(
    max_length=20_000,
    description='Words (all of them), "phrases", begin*, #hashtags, @mentions, -without',
    examples=['river "black forest" -winter', "#summer*", "@natgeo"],
)


class SnippetDocument(BaseModel):
    """A part of a text. Marks are places of characters (Unicode code points), end not included."""

    text: str = Field(examples=["A walk along the river"])
    marks: list[tuple[int, int]] = Field(examples=[[[17, 22]]])
    is_cut_before: bool = Field(description="Whether the text begins before the snippet")
    is_cut_after: bool


class SearchResult(BaseModel):
    """A post or a comment that was found."""

    kind: str = Field(examples=["comment"])
    platform: str = Field(examples=["Instagram"])
    id: str = Field(examples=["17841400000000101"])
    account_id: str = Field(description="The account that published the post", examples=["1024"])
    post_id: str = Field(description="The post; of a comment the one that it is about")
    written_at: UtcTime
    snippet: SnippetDocument
    sentiment: float | None = Field(description="From -1 to 1; null: not scored yet")
    sentiment_label: str | None = Field(examples=["positive"])
    relevance: float | None = Field(description="BM25, if that orders the answer")
    engagement: int | None = Field(description="Reactions, if they order the answer")


class SearchAnswer(BaseModel):
    """One page of results."""

    results: list[SearchResult]
    total: int = Field(description="Matches; counted up to 10,000")
    is_total_exact: bool
    ranked: int | None = Field(
        description="The newest matches that were ordered, if there are more; null: all, or by time"
    )
    notes: list[str]
    next: str | None = Field(description="Cursor of the next page; null on the last one")


@router.get("/search")
async def search(  # noqa: PLR0917 - FastAPI calls it by name
    request: Request,
    asked: Annotated[Requested, Depends(requested)],
    q: Annotated[str, _Q],
    kind: Annotated[list[str], Query(description="post or comment; both, if none is named")] = [],  # noqa: B006
    platform: Annotated[list[str], Query(examples=["instagram"])] = [],  # noqa: B006
    account: Annotated[
        list[str],
        Query(description="PLATFORM:ID, repeated or separated by commas", examples=["x:12"]),
    ] = [],  # noqa: B006
    sentiment: Annotated[list[str], Query(description="negative, neutral or positive")] = [],  # noqa: B006
    start: Annotated[str, Query(alias="from", max_length=40)] = "",
    end: Annotated[str, Query(alias="to", max_length=40)] = "",
    preset: Annotated[
        str, Query(alias="range", max_length=40, description="Such as last_7_days; all time")
    ] = "",
    zone: Annotated[str, Query(max_length=40)] = "UTC",
    sort: Annotated[
        Literal["relevance", "newest", "engagement"], Query(description="What comes first")
    ] = "relevance",
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 20,
    cursor: Annotated[str, Query(max_length=2000)] = "",
) -> SearchAnswer:
    """Posts and comments by their text.

    `relevance` is BM25 over the newest 500 matches, `engagement` orders the newest 1,000.
    """
    check_parameters(request)
    cursors = Cursors.of(request, asked)
    after = cursors.read(cursor) if cursor else []
    texts = SearchTexts(
        q,
        platforms=listed(platform),
        accounts=listed(account),
        kinds=listed(kind),
        labels=listed(sentiment),
        start=start,
        end=end,
        range=preset,
        zone=zone,
        order=sort,
        limit=limit,
    )
    try:
        chosen = _seen(read_search(texts, datetime.now(UTC)), asked.known_caller)
        found = await asked.services.warehouse.run(
            lambda client: find(client, chosen, after), asked.id
        )
    except SearchError as error:
        raise ProblemError(400, str(error), error.remedy, parameter=error.parameter) from error
    return _answer(found, cursors)


def _seen(chosen: Search, caller: Caller) -> Search:
    """The search, in the accounts that the caller may see."""
    if caller.accounts is None:
        return chosen
    named = caller.accounts if chosen.accounts is None else caller.accounts & chosen.accounts
    return replace(chosen, accounts=frozenset(named), scope=caller.accounts)


def _answer(found: FoundDocuments, cursors: Cursors) -> SearchAnswer:
    return SearchAnswer(
        results=[_result(each) for each in found.documents],
        total=found.total,
        is_total_exact=found.is_total_exact,
        ranked=found.ranked,
        notes=list(found.notes),
        next=None if found.following is None else cursors.write(list(found.following)),
    )


def _result(found: FoundDocument) -> SearchResult:
    return SearchResult(
        kind=found.kind,
        platform=found.platform,
        id=found.document_id,
        account_id=found.account_id,
        post_id=found.post_id,
        written_at=found.written_at,
        snippet=SnippetDocument(
            text=found.snippet.text,
            marks=list(found.snippet.marks),
            is_cut_before=found.snippet.is_cut_before,
            is_cut_after=found.snippet.is_cut_after,
        ),
        sentiment=found.score,
        sentiment_label=found.label,
        relevance=found.relevance,
        engagement=found.engagement,
    )
