"""X, by API version 2. Each record that is read costs money."""

from __future__ import annotations

from datetime import datetime

from social_assets.ingest.connectors.connector import (
    ApiEndpoint,
    AskedFor,
    Connector,
    Frequency,
    Ids,
)
from social_assets.ingest.connectors.declaration.limits import (
    CalendarDay,
    CalendarMonth,
    Limit,
    MoneyLimit,
    Price,
    RemainingHeaders,
    Rolling,
    Scope,
)
from social_assets.ingest.connectors.declaration.meanings import AnswerRule, Meaning, codes
from social_assets.ingest.connectors.declaration.oauth import RefreshToken
from social_assets.ingest.connectors.declaration.paging import SinceId, WhileToken

_USER = {
    "user.fields": "created_at,description,location,profile_image_url,protected,public_metrics,"
    "url,verified,verified_type"
}
_POST = {
    "tweet.fields": "author_id,conversation_id,created_at,edit_history_tweet_ids,lang,"
    "possibly_sensitive,public_metrics,referenced_tweets,reply_settings"
}
_POST_PRICE, _USER_PRICE = Price(a_record=0.005), Price(a_record=0.010)
_PROBLEMS = "https://api.x.com/2/problems/"
_NOT_FOUND, _NOT_ALLOWED = "resource-not-found", "not-authorized-for-resource"

_FIRST_MILLISECOND = 1_288_834_974_657
_BITS_BELOW_TIME = 22
"""An id holds the milliseconds since 2010-11-04 above its lowest 22 bits."""


def _first_id(at: datetime) -> str:
    """The smallest id of a time; of one before ids told it, the smallest of all."""
    milliseconds = int(at.timestamp() * 1000) - _FIRST_MILLISECOND
    return str(max(milliseconds, 0) << _BITS_BELOW_TIME)


CONNECTOR = Connector(
    platform="X",
    base_url="https://api.x.com",
    oauth=RefreshToken(
        "https://api.x.com/2/oauth2/token",
        rotates=True,
        is_basic=True,
        # For a refresh token that is revoked or was used, X says invalid_request.
        refusal="^(invalid_grant|unauthorized_client|invalid_client):|token was invalid",
    ),
    usage=RemainingHeaders(),
    limits=(Limit(900, Rolling(900), by_endpoint=True),),
    money=(
        MoneyLimit(20.0, CalendarDay(), "SOCIAL_ASSETS_X_DOLLARS_A_DAY"),
        MoneyLimit(300.0, CalendarMonth(), "SOCIAL_ASSETS_X_DOLLARS_A_MONTH"),
    ),
    rules=(
        # Also a 429, and waiting for the reset is of no use.
        AnswerRule(Meaning.QUOTA, at="type", like="usage-capped|credits", scope=Scope.APP),
        AnswerRule(Meaning.QUOTA, status=frozenset({402}), scope=Scope.APP),
        AnswerRule(Meaning.THROTTLED, at="errors.0.code", among=codes(88)),
        AnswerRule(Meaning.ACCOUNT_GONE, at="errors.0.detail", like="suspended", without="data"),
        AnswerRule(
            Meaning.ACCOUNT_GONE,
            at="errors.0.type",
            among=codes(_PROBLEMS + _NOT_FOUND),
            without="data",
        ),
        AnswerRule(
            Meaning.ACCOUNT_PRIVATE,
            at="errors.0.type",
            among=codes(_PROBLEMS + _NOT_ALLOWED),
            without="data",
        ),
        AnswerRule(
            Meaning.CURSOR_EXPIRED,
            status=frozenset({400}),
            at="errors.0.message",
            like="pagination_token|next_token|since_id",
        ),
    ),
    id_like=r"\d{1,20}",
    lookup=ApiEndpoint(
        "lookup",
        "/2/users/by/username/$handle",
        (),
        "data",
        query=_USER,
        price=_USER_PRICE,
        most_records=1,
    ),
    endpoints=(
        ApiEndpoint(
            "user",
            "/2/users/$account_id",
            ("profiles",),
            "data",
            query=_USER,
            price=_USER_PRICE,
            most_records=1,
        ),
        ApiEndpoint(
            "posts",
            "/2/users/$account_id/tweets",
            ("posts_collected", "post_counters"),
            "data",
            query={**_POST, "max_results": "100"},
            may_be_absent=True,
            paging=WhileToken("meta.next_token", "pagination_token"),
            since=SinceId(first_id=_first_id),
            price=_POST_PRICE,
        ),
        # since_id gives new posts only: the counters of older ones are asked for by their ids.
        ApiEndpoint(
            "posts_by_id",
            "/2/tweets",
            ("post_counters",),
            "data",
            query=_POST,
            may_be_absent=True,
            asked_for=AskedFor.POSTS,
            ids=Ids(100, parameter="ids"),
            price=_POST_PRICE,
        ),
        # Replies of the last seven days. The activity webhook gives them without polling.
        ApiEndpoint(
            "comments",
            "/2/tweets/search/recent",
            ("comments",),
            "data",
            query={**_POST, "query": "conversation_id:$parent_id is:reply", "max_results": "100"},
            may_be_absent=True,
            paging=WhileToken("meta.next_token", "next_token"),
            since=SinceId(first_id=_first_id),
            asked_for=AskedFor.POST,
            frequency=Frequency.DAILY,
            price=_POST_PRICE,
            limits=(Limit(300, Rolling(900), by_endpoint=True),),
        ),
    ),
)
