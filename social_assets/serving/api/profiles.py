"""Profiles of tracked accounts, their history, and their audiences.

Belongs here: the paths and their documents. What is read belongs to `profile_rows`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, Field

from social_assets.serving.api.prefix import PREFIX
from social_assets.serving.api.profile_rows import (
    CollectedOf,
    all_profiles,
    newest_audience,
    newest_profiles,
)
from social_assets.serving.api.request.cursor import Cursors
from social_assets.serving.api.request.parameters import check_parameters
from social_assets.serving.api.times import UtcTime
from social_assets.serving.requested import Requested, requested

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

router = APIRouter(prefix=PREFIX, tags=["accounts"])

_NOTHING = "Nothing is collected of these accounts; `social-assets track` and `collect` do it."

_Rows = list[Mapping[str, Any]]
_Read = Callable[["Client", CollectedOf, Sequence[str | int], int], _Rows]


class Profile(BaseModel):
    """What an account's profile shows at a collection. null: the platform does not show it."""

    platform: str = Field(examples=["Instagram"])
    account_id: str = Field(examples=["17841400000000101"])
    collected_at: UtcTime
    handle: str | None = Field(description="The name in addresses and mentions")
    display_name: str | None = Field(description="The name that is shown")
    biography: str | None
    category: str | None = Field(description="The platform's category of the account")
    country: str | None
    website: str | None
    is_verified: bool | None
    followers: int | None = Field(description="Followers or subscribers")
    following: int | None
    posts: int | None = Field(description="Posts or videos that the platform counts")


class Profiles(BaseModel):
    """One page of profiles, or of the history of one."""

    profiles: list[Profile]
    next: str | None = None
    note: str | None = None


class AudienceSegment(BaseModel):
    """A part of an account's audience, in its newest collection."""

    platform: str
    account_id: str
    collected_at: UtcTime
    metric: str = Field(examples=["follower_demographics"], description="The platform's name of it")
    dimension: str = Field(
        examples=["age", "age,gender"], description="What it is divided by: one or two dimensions"
    )
    segment: str = Field(examples=["25-34", "25-34,F"])
    value: float | None = Field(description="The platform's figure")
    share: float | None = Field(description="Of the sum over the segments that the platform shows")


class Audience(BaseModel):
    """One page of audiences, by account, metric, dimension and segment."""

    audience: list[AudienceSegment]
    next: str | None = None
    note: str | None = None


_Platform = Annotated[str, Query(max_length=100)]
_Account = Annotated[str, Query(max_length=200, description="The platform's id of the account")]
_Limit = Annotated[int, Query(ge=1, le=1000)]
_Cursor = Annotated[str, Query(max_length=2000)]


@router.get("/profiles")
async def profiles(  # noqa: PLR0917 - FastAPI calls it by name
    request: Request,
    asked: Annotated[Requested, Depends(requested)],
    platform: _Platform = "",
    account: _Account = "",
    limit: _Limit = 100,
    cursor: _Cursor = "",
) -> Profiles:
    """The newest profile of each account, by platform and account."""
    of = CollectedOf(asked.known_caller, platform, account)
    place = ("platform", "account_id")
    rows, following = await _page(request, asked, of, newest_profiles, place, limit, cursor)
    return _profiles(rows, following)


@router.get("/profiles/{account_id}/history")
async def profile_history(  # noqa: PLR0917 - FastAPI calls it by name
    request: Request,
    asked: Annotated[Requested, Depends(requested)],
    account_id: Annotated[str, Path(min_length=1, max_length=200)],
    platform: _Platform = "",
    limit: _Limit = 100,
    cursor: _Cursor = "",
) -> Profiles:
    """All profiles of an account that were collected, newest first.

    Two platforms may use the same id: `platform` names one.
    """
    of = CollectedOf(asked.known_caller, platform, account_id)
    place = ("sorted_at", "platform")
    rows, following = await _page(request, asked, of, all_profiles, place, limit, cursor)
    return _profiles(rows, following)


@router.get("/audience")
async def audience(  # noqa: PLR0917 - FastAPI calls it by name
    request: Request,
    asked: Annotated[Requested, Depends(requested)],
    platform: _Platform = "",
    account: _Account = "",
    limit: _Limit = 100,
    cursor: _Cursor = "",
) -> Audience:
    """The newest audience of each account, by the dimensions that its platform tells."""
    of = CollectedOf(asked.known_caller, platform, account)
    place = ("platform", "account_id", "metric", "dimension", "segment")
    rows, following = await _page(request, asked, of, newest_audience, place, limit, cursor)
    segments = [AudienceSegment.model_validate(row) for row in rows]
    return Audience(audience=segments, next=following, note=None if segments else _NOTHING)


def _profiles(rows: _Rows, following: str | None) -> Profiles:
    found = [Profile.model_validate(row) for row in rows]
    return Profiles(profiles=found, next=following, note=None if found else _NOTHING)


async def _page(  # noqa: PLR0917 - each is another thing
    request: Request,
    asked: Requested,
    of: CollectedOf,
    read: _Read,
    place: Sequence[str],
    limit: int,
    cursor: str,
) -> tuple[_Rows, str | None]:
    """The rows of a page, and the cursor of the next one; `place` names what orders them."""
    check_parameters(request)
    cursors = Cursors.of(request, asked)
    after = cursors.read(cursor) if cursor else []
    rows = await asked.services.warehouse.run(
        lambda client: read(client, of, after, limit + 1), asked.id
    )
    page = rows[:limit]
    if len(rows) <= limit:
        return page, None
    return page, cursors.write([str(page[-1][name]) for name in place])
