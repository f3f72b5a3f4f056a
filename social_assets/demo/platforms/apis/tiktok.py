"""TikTok API v2 (Display API).

Belongs here: user info, video list and query, OAuth. There are no comments and no audience. Every
good answer has an `error` with code `ok`.
"""

from __future__ import annotations

from urllib.parse import quote

from social_assets.demo.platforms.access.tokens import TokenGrant
from social_assets.demo.platforms.apis.answers import (
    ApiAnswer,
    ApiCall,
    JsonObject,
    Platforms,
    Refused,
    digits,
)
from social_assets.demo.platforms.world.accounts import SimulatedAccount
from social_assets.demo.platforms.world.posts import SimulatedPost

_USER_FIELDS = [
    "open_id",
    "union_id",
    "avatar_url",
    "avatar_url_100",
    "avatar_large_url",
    "display_name",
    "bio_description",
    "profile_deep_link",
    "is_verified",
    "username",
    "follower_count",
    "following_count",
    "likes_count",
    "video_count",
]
_VIDEO_FIELDS = [
    "id",
    "create_time",
    "cover_image_url",
    "share_url",
    "video_description",
    "duration",
    "height",
    "width",
    "title",
    "embed_html",
    "embed_link",
    "like_count",
    "comment_count",
    "share_count",
    "view_count",
]
_MOST_VIDEOS = 20
_PARTS: dict[tuple[str, ...], str] = {
    ("user", "info"): "user_info",
    ("video", "list"): "video_list",
    ("video", "query"): "video_query",
}


class TikTokApi:
    """Answers as open.tiktokapis.com does."""

    def __init__(self, platforms: Platforms) -> None:
        self._all = platforms
        self._world = platforms.world

    def answer(self, call: ApiCall) -> ApiAnswer:
        """Answer a call."""
        try:
            if call.parts == ("oauth", "token"):
                call.endpoint = "oauth_token"
                return self._token(call)
            if call.parts == ("oauth", "revoke"):
                call.endpoint = "oauth_revoke"
                return self._revoke(call)
            return self._data(call)
        except Refused as refused:
            return refused.answer

    def throttled(self, call: ApiCall) -> ApiAnswer:
        """Return 429, which says nothing about when to come again."""
        text = "The API rate limit was exceeded. Please try again later."
        return _error(call, 429, "rate_limit_exceeded", text)

    def broken(self, call: ApiCall, status: int) -> ApiAnswer:
        """Return TikTok's answer when it fails."""
        return _error(call, status, "internal_error", "Something is wrong. Please try again later.")

    # Access

    def _token(self, call: ApiCall) -> ApiAnswer:
        key, secret = self._all.tokens.client("tiktok")
        if (call.form.get("client_key"), call.form.get("client_secret")) != (key, secret):
            return _oauth_error(call, "invalid_client", "Client key or secret is incorrect.")
        if call.form.get("grant_type") != "refresh_token":
            return _oauth_error(call, "unsupported_grant_type", "Grant type is not supported.")
        refresh = call.form.get("refresh_token")
        grant = self._all.tokens.refreshed("tiktok", refresh, call.now, self._all.ledger)
        if grant is None:
            return _oauth_error(call, "invalid_grant", "Refresh token is invalid or expired.")
        return ApiAnswer(
            200,
            {
                "access_token": grant.access,
                "expires_in": int(grant.expires - call.now),
                "open_id": grant.account_id,
                "refresh_expires_in": int(grant.refresh_expires - call.now),
                "refresh_token": grant.refresh,
                "scope": "user.info.basic,user.info.profile,user.info.stats,video.list",
                "token_type": "Bearer",
            },
        )

    def _revoke(self, call: ApiCall) -> ApiAnswer:
        grant = self._all.tokens.state("tiktok", call.form.get("token"), call.now)
        if isinstance(grant, TokenGrant):
            grant.is_revoked = True
        return ApiAnswer(200, {})

    def _data(self, call: ApiCall) -> ApiAnswer:
        name = _PARTS.get(call.parts[:2])
        if name is None:
            return _error(call, 404, "invalid_params", "Unsupported path.")
        call.endpoint = name
        if (call.method == "GET") != (name == "user_info"):
            return _error(call, 405, "invalid_params", "Unsupported method.")
        grant = self._all.tokens.state("tiktok", call.token, call.now)
        account = (
            self._world.account("tiktok", grant.account_id or "")
            if isinstance(grant, TokenGrant)
            else None
        )
        if account is None or not isinstance(grant, TokenGrant) or account.is_gone(call.now):
            text = "The access token is invalid or not found in the request."
            return _error(call, 401, "access_token_invalid", text)
        if not self._all.ledger.take(f"tiktok.{name}", f"app-{grant.app}", call.now).is_allowed:
            return self.throttled(call)
        if name == "user_info":
            return self._user(call, account)
        return self._list(call, account) if name == "video_list" else self._query(call, account)

    # Data

    def _user(self, call: ApiCall, account: SimulatedAccount) -> ApiAnswer:
        fields = _fields(call, _USER_FIELDS)
        posts = self._world.posts(account, call.now)
        picture = f"https://example.invalid/tiktok/{account.number}.jpg"
        whole = {
            "open_id": account.id,
            "union_id": f"c9c60f44-{account.id[9:]}",
            "avatar_url": picture,
            "avatar_url_100": picture,
            "avatar_large_url": picture,
            "display_name": account.name,
            "bio_description": account.about,
            "profile_deep_link": f"https://vm.tiktok.com/{account.number}",
            "is_verified": account.is_verified,
            "username": account.username,
            "follower_count": account.followers(call.now),
            "following_count": account.following,
            "likes_count": sum(self._world.counters(post, call.now).likes for post in posts),
            "video_count": len(posts),
        }
        return _good(call, {"user": {name: whole[name] for name in fields}})

    def _list(self, call: ApiCall, account: SimulatedAccount) -> ApiAnswer:
        fields = _fields(call, _VIDEO_FIELDS)
        size, cursor = call.body.get("max_count", 10), call.body.get("cursor", 1 << 62)
        if not isinstance(size, int) or not 1 <= size <= _MOST_VIDEOS:
            raise Refused(_invalid(call, "max_count should be between 1 and 20"))
        if not isinstance(cursor, int):
            raise Refused(_invalid(call, "cursor should be a number"))
        posts = self._world.posts(account, call.now)
        older = [post for post in posts if post.published * 1000 < cursor]
        cut = older[:size]
        if call.repeats and cursor < 1 << 62:
            newer = [post for post in posts if post.published * 1000 >= cursor]
            cut = newer[-call.repeats :] + cut
        last = cut[-1].published * 1000 if cut else min(cursor, int(call.now) * 1000)
        videos = [self._video(post, fields, call) for post in cut]
        return _good(call, {"videos": videos, "cursor": last, "has_more": len(older) > size})

    def _query(self, call: ApiCall, account: SimulatedAccount) -> ApiAnswer:
        fields = _fields(call, _VIDEO_FIELDS)
        filters = call.body.get("filters")
        ids = filters.get("video_ids") if isinstance(filters, dict) else None
        if not isinstance(ids, list) or not 1 <= len(ids) <= _MOST_VIDEOS:
            raise Refused(_invalid(call, "video_ids should hold between 1 and 20 ids"))
        found = (self._world.post("tiktok", str(each), call.now) for each in ids)
        shown = [post for post in found if post is not None and post.account.id == account.id]
        return _good(call, {"videos": [self._video(post, fields, call) for post in shown]})

    def _video(self, post: SimulatedPost, fields: list[str], call: ApiCall) -> JsonObject:
        counters = self._world.counters(post, call.now)
        text = post.text or ""
        page = f"https://www.tiktok.com/@{quote(post.account.username)}/video/{post.id}"
        embedded = f"https://www.tiktok.com/player/v1/{post.id}"
        whole = {
            "id": post.id,
            "create_time": post.published,
            "cover_image_url": call.picture(post.id),
            "share_url": page,
            "video_description": text,
            "duration": 5 + post.ordinal % 50,
            "height": 1024,
            "width": 576,
            "title": text,
            "embed_html": f'<iframe src="{embedded}"></iframe>',
            "embed_link": embedded,
            "like_count": counters.likes,
            "comment_count": self._world.count_comments(post, call.now),
            "share_count": counters.shares,
            "view_count": counters.views,
        }
        return {name: whole[name] for name in fields}


def _fields(call: ApiCall, known: list[str]) -> list[str]:
    asked = [name for name in call.query.get("fields", "").split(",") if name]
    unknown = [name for name in asked if name not in known]
    if not asked or unknown:
        what = f"{', '.join(unknown)} is not a valid field" if unknown else "fields is required"
        raise Refused(_invalid(call, what))
    return asked


def _good(call: ApiCall, data: JsonObject) -> ApiAnswer:
    error = {"code": "ok", "message": "", "log_id": _log_id(call)}
    return ApiAnswer(200, {"data": data, "error": error})


def _error(call: ApiCall, status: int, code: str, message: str) -> ApiAnswer:
    error = {"code": code, "message": message, "log_id": _log_id(call)}
    return ApiAnswer(status, {"data": {}, "error": error})


def _invalid(call: ApiCall, message: str) -> ApiAnswer:
    return _error(call, 400, "invalid_params", message)


def _oauth_error(call: ApiCall, error: str, description: str) -> ApiAnswer:
    body = {"error": error, "error_description": description, "log_id": _log_id(call)}
    return ApiAnswer(400, body)


def _log_id(call: ApiCall) -> str:
    return f"{int(call.now)}{digits(call.path + str(call.now))}"
