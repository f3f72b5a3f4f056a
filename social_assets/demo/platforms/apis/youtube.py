"""YouTube Data API v3.

Belongs here: paths, pages, quota and errors. The resources belong to `youtube_objects`. Units are a
project's and a day's; a deleted or unknown id is left out of a lookup without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from social_assets.demo.platforms.access.tokens import TokenGrant
from social_assets.demo.platforms.apis.answers import (
    ApiAnswer,
    ApiCall,
    CursorError,
    JsonObject,
    Platforms,
    Refused,
    cursor_of,
    digits,
    page_of,
    place_of,
    whole_number,
)
from social_assets.demo.platforms.apis.youtube_objects import (
    channel_object,
    comment_object,
    playlist_item,
    search_result,
    thread_object,
    uploads_of,
    video_object,
)
from social_assets.demo.platforms.world.clock import parsed

_QUOTA = (
    "The request cannot be completed because you have exceeded your "
    '<a href="/youtube/v3/getting-started#quota">quota</a>.'
)
_MOST_IDS = 50
T = TypeVar("T")


class YouTubeApi:
    """Answers as youtube.googleapis.com and oauth2.googleapis.com do."""

    def __init__(self, platforms: Platforms) -> None:
        self._all = platforms
        self._world = platforms.world
        self._handlers: dict[str, Callable[[ApiCall, TokenGrant], ApiAnswer]] = {
            "channels": self._channels,
            "playlistItems": self._playlist,
            "videos": self._videos,
            "commentThreads": self._threads,
            "comments": self._comments,
            "search": self._search,
        }

    def answer(self, call: ApiCall) -> ApiAnswer:
        """Answer a call."""
        try:
            if call.parts[-1:] == ("token",):
                call.endpoint = "oauth_token"
                return self._token(call)
            return self._data(call)
        except Refused as refused:
            return refused.answer
        except ValueError as error:  # a time that is none
            return _bad(f"Request contains an invalid argument: {error}", "badRequest", "query")

    def throttled(self, call: ApiCall) -> ApiAnswer:
        """Return 403 for calls that come too fast, which is no matter of the day's units."""
        del call
        text = "The request was throttled: too many requests in a short time."
        return _error(403, text, "usageLimits", "rateLimitExceeded")

    def broken(self, call: ApiCall, status: int) -> ApiAnswer:
        """Return YouTube's answer when it fails."""
        del call
        return _error(status, "Backend Error", "global", "backendError")

    def _token(self, call: ApiCall) -> ApiAnswer:
        clients = [self._all.tokens.client("youtube", app) for app in (1, 2, 3)]
        if (call.form.get("client_id"), call.form.get("client_secret")) not in clients:
            body = {
                "error": "invalid_client",
                "error_description": "The OAuth client was not found.",
            }
            return ApiAnswer(401, body)
        refresh = call.form.get("refresh_token")
        grant = self._all.tokens.refreshed("youtube", refresh, call.now, self._all.ledger)
        if grant is None:
            text = "Token has been expired or revoked."
            return ApiAnswer(400, {"error": "invalid_grant", "error_description": text})
        return ApiAnswer(
            200,
            {
                "access_token": grant.access,
                "expires_in": int(grant.expires - call.now),
                "scope": "https://www.googleapis.com/auth/youtube.readonly",
                "token_type": "Bearer",
            },
        )

    def _data(self, call: ApiCall) -> ApiAnswer:
        call.endpoint = call.parts[0] if len(call.parts) == 1 else "unknown"
        handler = self._handlers.get(call.endpoint)
        if handler is None:
            call.endpoint = "unknown"
            return _error(404, "Not Found", "global", "notFound")
        grant = self._all.tokens.state("youtube", call.token, call.now)
        if isinstance(grant, str):
            return _unauthorized(is_key="key" in call.query)
        cost = 100 if call.endpoint == "search" else 1
        project = f"project-{grant.app}"
        if not self._all.ledger.take("youtube.units", project, call.now, cost=cost).is_allowed:
            return _error(403, _QUOTA, "youtube.quota", "quotaExceeded")
        if "part" not in call.query:
            raise Refused(_bad("No filter selected: part", "required", "part"))
        return handler(call, grant)

    # Resources

    def _channels(self, call: ApiCall, grant: TokenGrant) -> ApiAnswer:
        query = call.query
        if query.get("mine") == "true":
            ids = [grant.account_id or ""]
        elif "forHandle" in query:
            named = self._world.named("youtube", query["forHandle"].removeprefix("@"))
            ids = [named.id] if named else []
        else:
            ids = _ids(call)
        found = [self._world.account("youtube", each) for each in ids]
        items = [
            channel_object(self._world, account, _parts(call), call.now)
            for account in found
            if account is not None and not account.is_gone(call.now)
        ]
        answer = _listed(call, "channel", items, len(items), 5)
        return ApiAnswer(
            200, answer if items else {k: v for k, v in answer.items() if k != "items"}
        )

    def _videos(self, call: ApiCall, _: TokenGrant) -> ApiAnswer:
        found = [self._world.post("youtube", each, call.now) for each in _ids(call)]
        items = [
            video_object(self._world, post, _parts(call), call)
            for post in found
            if post is not None
        ]
        return ApiAnswer(200, _listed(call, "video", items, len(items), len(items)))

    def _playlist(self, call: ApiCall, _: TokenGrant) -> ApiAnswer:
        playlist = call.query.get("playlistId", "")
        account = self._world.account("youtube", "UC" + playlist[2:])
        if account is None or uploads_of(account) != playlist or account.is_gone(call.now):
            text = (
                "The playlist identified with the request's playlistId parameter cannot be found."
            )
            return _error(404, text, "youtube.playlistItem", "playlistNotFound", "playlistId")
        posts = self._world.posts(account, call.now)
        places = {post.id: place for place, post in enumerate(posts)}
        return self._page(
            call,
            posts,
            f"playlist {playlist}",
            lambda post: playlist_item(post, places[post.id], _parts(call)),
            ("playlistItem", 5, 50),
        )

    def _threads(self, call: ApiCall, _: TokenGrant) -> ApiAnswer:
        post = self._world.post("youtube", call.query.get("videoId", ""), call.now)
        if post is None:
            text = "The video identified by the videoId parameter could not be found."
            return _error(404, text, "youtube.commentThread", "videoNotFound", "videoId")
        if post.has_comments_off:
            text = "The video identified by the videoId parameter has disabled comments."
            return _error(403, text, "youtube.commentThread", "commentsDisabled", "videoId")
        comments = self._world.comments(post, call.now)
        threads = [each for each in reversed(comments) if each.parent is None]
        replies = {top.id: [c for c in comments if c.parent == top.id] for top in threads}
        return self._page(
            call,
            threads,
            f"threads {post.id}",
            lambda top: thread_object(top, replies[top.id], _parts(call), call.now),
            ("commentThread", 20, 100),
        )

    def _comments(self, call: ApiCall, _: TokenGrant) -> ApiAnswer:
        parent = call.query.get("parentId")
        if parent is None:
            found = [self._world.comment("youtube", each, call.now) for each in _ids(call)]
            items = [comment_object(each, call.now) for each in found if each is not None]
            return ApiAnswer(200, _listed(call, "comment", items, len(items), len(items)))
        top = self._world.comment("youtube", parent, call.now)
        if top is None:
            text = "The comment identified by the parentId parameter could not be found."
            return _error(404, text, "youtube.comment", "commentNotFound", "parentId")
        replies = [
            each for each in self._world.comments(top.post, call.now) if each.parent == parent
        ]
        return self._page(
            call,
            replies,
            f"replies {parent}",
            lambda each: comment_object(each, call.now),
            ("comment", 20, 100),
        )

    def _search(self, call: ApiCall, _: TokenGrant) -> ApiAnswer:
        account = self._world.account("youtube", call.query.get("channelId", ""))
        posts = self._world.posts(account, call.now) if account else []
        after = parsed(call.query["publishedAfter"]) if "publishedAfter" in call.query else 0
        kept = [post for post in posts if post.published >= after]
        return self._page(call, kept, f"search {call.query}", search_result, ("search", 5, 50))

    def _page(
        self,
        call: ApiCall,
        records: Sequence[T],
        scope: str,
        made: Callable[[T], JsonObject],
        what: tuple[str, int, int],
    ) -> ApiAnswer:
        """Return a page. Its token is a place in the list: a new record shifts what follows."""
        kind, default, most = what
        size = whole_number(call.query.get("maxResults"), default, most)
        start, token = 0, call.query.get("pageToken")
        if token:
            try:
                start = int(place_of(token, scope, call.now, self._all.cursor_seconds))
            except CursorError:
                text = f"The request specifies an invalid page token: {token}"
                raise Refused(_bad(text, "invalidPageToken", "pageToken")) from None
        page = page_of(records, start, size, call.repeats if token else 0)
        items = [made(record) for record in page.records]
        body = _listed(call, kind, items, len(records), size)
        tokens = {}
        if page.next_start is not None:
            tokens["nextPageToken"] = cursor_of(str(page.next_start), scope, call.now)
        if start:
            tokens["prevPageToken"] = cursor_of(str(max(0, start - size)), scope, call.now)
        return ApiAnswer(200, {"kind": body["kind"], "etag": body["etag"]} | tokens | body)


def _parts(call: ApiCall) -> frozenset[str]:
    return frozenset(call.query["part"].split(","))


def _ids(call: ApiCall) -> list[str]:
    ids = [each for each in call.query.get("id", "").split(",") if each]
    if not ids:
        text = "No filter selected. Expected one of: id, mine, forHandle, parentId"
        raise Refused(_bad(text, "missingRequiredParameter", "id"))
    if len(ids) > _MOST_IDS:
        text = "The request specifies an invalid filter parameter."
        raise Refused(_bad(text, "invalidFilters", "id"))
    return ids


def _listed(call: ApiCall, kind: str, items: list[JsonObject], total: int, size: int) -> JsonObject:
    return {
        "kind": f"youtube#{kind}ListResponse",
        "etag": digits(f"{call.path}{call.query}{int(call.now)}"),
        "pageInfo": {"totalResults": total, "resultsPerPage": size},
        "items": items,
    }


def _error(
    status: int, message: str, domain: str, reason: str, location: str | None = None
) -> ApiAnswer:
    one = {"message": message, "domain": domain, "reason": reason}
    if location:
        one |= {"location": location, "locationType": "parameter"}
    return ApiAnswer(status, {"error": {"code": status, "message": message, "errors": [one]}})


def _bad(message: str, reason: str, location: str) -> ApiAnswer:
    return _error(400, message, "youtube.parameter", reason, location)


def _unauthorized(*, is_key: bool) -> ApiAnswer:
    if is_key:
        text = "API key not valid. Please pass a valid API key."
        return _error(400, text, "global", "badRequest")
    text = "Request had invalid authentication credentials."
    answer = _error(401, text, "global", "authError")
    answer.body["error"]["errors"][0] |= {"location": "Authorization", "locationType": "header"}
    answer.body["error"]["status"] = "UNAUTHENTICATED"
    return answer
