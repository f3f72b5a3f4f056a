"""The features of a user, an account or a post, as they are now.

Belongs here: the path and its document. Values come from the online store; the warehouse is asked
only whether a key may see a post.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, Field

from resources.settings.variables import hidden
from social_assets.features.errors import OnlineStoreError
from social_assets.features.feature_view import EntityName
from social_assets.features.online.answer import FeaturesNow, PlatformFeatures, features_now
from social_assets.features.registry import entity_named
from social_assets.serving.api.post_rows import posts_of
from social_assets.serving.api.prefix import PREFIX
from social_assets.serving.api.request.parameters import check_parameters
from social_assets.serving.api.times import UtcTime
from social_assets.serving.gate import REQUEST_ID
from social_assets.serving.problems import ProblemError
from social_assets.serving.requested import Requested, requested

router = APIRouter(prefix=PREFIX, tags=["features"])

_log = logging.getLogger(__name__)
_RETRY_SECONDS = 5
_NOT_MATERIALIZED = "No features are online; materialize features/online, or start the daemon."


class FeaturesOnPlatform(BaseModel):
    """The features on one platform. null: nothing is known, or it has expired."""

    platform: str = Field(examples=["Instagram"])
    features: dict[str, int | float | None] = Field(examples=[{"events_7d": 12}])


class Features(BaseModel):
    """The features of one id, on each platform that knows it."""

    entity: EntityName
    id: str
    platforms: list[FeaturesOnPlatform]
    as_of: UtcTime | None = Field(
        description="Everything that the warehouse had at this time counts; null: nothing is online"
    )
    note: str | None = None


@router.get(
    "/features/{entity}/{id}",
    response_model=Features,
    responses={404: {"description": "Nothing is known of it, or the key may not see it"}},
)
async def features(
    request: Request,
    asked: Annotated[Requested, Depends(requested)],
    entity: EntityName,
    id: Annotated[str, Path(min_length=1, max_length=500)],
    platform: Annotated[str, Query(max_length=100, description="Only this platform")] = "",
) -> Response:
    """The features of a user, an account or a post.

    Two platforms may use the same id: the answer has both, or the one that `platform` names.
    Features of users are of all accounts, so only a key that sees all accounts may read them.
    """
    check_parameters(request)
    found = await _read(asked, entity, id)
    shown = [each for each in found.platforms if not platform or _is(each.platform, platform)]
    shown = await _visible(asked, entity, id, shown)
    if not shown and found.as_of is not None:
        raise ProblemError(
            404,
            f"no features of {entity} {id[:100]!r} are known",
            "Correct the id or the platform; features are of the last 90 days.",
        )
    document = Features(
        entity=entity,
        id=id,
        platforms=[
            FeaturesOnPlatform(platform=each.platform, features=dict(each.values)) for each in shown
        ],
        as_of=found.as_of,
        note=_NOT_MATERIALIZED if found.as_of is None else None,
    )
    return Response(
        document.model_dump_json(),
        media_type="application/json",
        # Somebody who is active now has other features within a minute.
        headers={"Cache-Control": "no-store"},
    )


async def _read(asked: Requested, entity: EntityName, id_: str) -> FeaturesNow:
    online = asked.services.online
    try:
        return await online.run(
            lambda store: features_now(store, entity_named(entity), id_, datetime.now(UTC))
        )
    except OnlineStoreError as error:
        _log.error("%s", hidden(str(error)), extra={REQUEST_ID: asked.id})
        raise ProblemError(
            503,
            "the online features cannot be read at this moment",
            f"Try again in {_RETRY_SECONDS} seconds; the log says why.",
            retry_after=_RETRY_SECONDS,
        ) from error


async def _visible(
    asked: Requested, entity: EntityName, id_: str, found: list[PlatformFeatures]
) -> list[PlatformFeatures]:
    """Those that the key may see: of accounts and posts, the ones of its accounts."""
    caller = asked.known_caller
    if caller.sees_all:
        return found
    if entity == "user":
        raise ProblemError(
            403,
            f"the key {caller.name} sees some accounts only, and features of users are of all",
            "Use a key that is made without --account.",
        )
    if entity == "account":
        return [each for each in found if caller.allows(each.platform, id_)]
    posts = await asked.services.warehouse.run(
        lambda client: posts_of(client, caller, [id_]), asked.id
    )
    platforms = {each.platform for each in posts}
    return [each for each in found if each.platform in platforms]


def _is(platform: str, named: str) -> bool:
    return platform.casefold() == named.casefold()
