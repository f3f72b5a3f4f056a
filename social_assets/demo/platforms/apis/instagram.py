"""Instagram Graph API.

Belongs here: users, media, comments, business discovery, renewal of long-lived tokens. Insights
belong to `instagram_insights`. Media and comments come newest first, replies within their comment.
"""

from __future__ import annotations

from dataclasses import replace

from social_assets.demo.platforms.apis.answers import (
    ApiAnswer,
    ApiCall,
    JsonObject,
    Platforms,
    Refused,
)
from social_assets.demo.platforms.apis.graph import (
    GraphFaults,
    GraphField,
    exchanged,
    grant_of,
    graph_error,
    graph_page,
    parsed_fields,
    picked,
    unsupported,
    usage_header,
    written_fields,
)
from social_assets.demo.platforms.apis.instagram_insights import InstagramInsights
from social_assets.demo.platforms.world.accounts import SimulatedAccount
from social_assets.demo.platforms.world.clock import DAY, offset_time
from social_assets.demo.platforms.world.comments import SimulatedComment
from social_assets.demo.platforms.world.posts import SimulatedPost

_LIMIT = "instagram.account"
_TOO_MANY = (
    "(#80002) There have been too many calls to this Instagram account. Wait a bit and try again."
)
_THROTTLES = (
    (400, 80002, _TOO_MANY),
    (403, 4, "(#4) Application request limit reached"),
    (400, 613, "(#613) Calls to this api have exceeded the rate limit."),
)


class InstagramApi(GraphFaults):
    """Answers as graph.facebook.com and graph.instagram.com do for Instagram."""

    throttles = _THROTTLES

    def __init__(self, platforms: Platforms) -> None:
        self._all = platforms
        self._world = platforms.world
        self._insights = InstagramInsights(platforms)

    def answer(self, call: ApiCall) -> ApiAnswer:
        """Answer a call."""
        try:
            if call.parts == ("refresh_access_token",):
                call.endpoint = "refresh_access_token"
                return self._renew(call)
            if call.parts == ("oauth", "access_token"):
                call.endpoint = "oauth_access_token"
                return exchanged(self._all, "instagram", call)
            return self._data(call)
        except Refused as refused:
            return refused.answer

    def _renew(self, call: ApiCall) -> ApiAnswer:
        grant = grant_of(self._all, "instagram", call)
        if call.now - grant.issued < DAY:
            text = "Session key invalid. This could be because the token is less than 24 hours old"
            return graph_error(400, 190, text)
        renewed = self._all.tokens.renewed(grant, call.now)
        left = int(renewed.expires - call.now)
        body = {"access_token": renewed.access, "token_type": "bearer", "expires_in": left}
        return ApiAnswer(200, body)

    def _data(self, call: ApiCall) -> ApiAnswer:
        grant = grant_of(self._all, "instagram", call)
        node = call.parts[0] if call.parts else ""
        edge = call.parts[1] if len(call.parts) > 1 else ""
        node_id = (grant.account_id or node) if node == "me" else node
        account = self._world.account("instagram", node_id)
        media = None if account else self._world.post("instagram", node_id, call.now)
        comment = None
        if account is None and media is None and node_id.startswith("178"):
            comment = self._world.comment("instagram", node_id, call.now)
        post = comment.post if comment else media
        owner = post.account if post else account
        kind = "user" if account else "media" if media else "comment" if comment else "unknown"
        call.endpoint = f"{kind}_{edge}" if edge else kind
        if "business_discovery" in call.query.get("fields", ""):
            call.endpoint = "business_discovery"
        if owner is None or grant.account_id not in (None, owner.id):
            raise unsupported(node_id)
        owner = self._world.current(owner)
        if owner.is_gone(call.now):
            raise unsupported(node_id)
        usage = self._all.ledger.take(_LIMIT, owner.id, call.now)
        headers = usage_header("instagram", owner.id, usage)
        if not usage.is_allowed:
            answer = graph_error(400, 80002, _TOO_MANY, 2207051, is_transient=True)
            answer.headers |= headers
            return answer
        if not usage.remaining:
            self._all.ledger.announce(_LIMIT, owner.id)
        try:
            body = self._body(call, edge, account and owner, media or comment)
        except Refused as refused:
            refused.answer.headers |= headers
            raise
        return ApiAnswer(200, body, headers)

    def _body(  # noqa: PLR0911 - a table of nodes and edges
        self,
        call: ApiCall,
        edge: str,
        account: SimulatedAccount | None,
        other: SimulatedPost | SimulatedComment | None,
    ) -> JsonObject:
        fields = parsed_fields(call.query.get("fields", ""))
        match (account or other, edge):
            case (SimulatedAccount() as user, ""):
                return self._user(call, user, fields)
            case (SimulatedAccount() as user, "media" | "stories"):
                return self._media_list(call, user, fields, edge)
            case (SimulatedAccount() as user, "insights"):
                return self._insights.of_account(call, user)
            case (SimulatedPost() as media, ""):
                return self._media(call, media, fields)
            case (SimulatedPost() as media, "insights"):
                return self._insights.of_media(call, media)
            case (SimulatedPost() as media, "comments"):
                return self._comment_list(call, media, fields)
            case (SimulatedPost() as media, "children"):
                return {"data": _children(media) or []}
            case (SimulatedComment() as comment, ""):
                return self._comment(call, comment, fields)
            case (SimulatedComment() as comment, "replies"):
                return self._reply_list(call, comment, fields)
        raise unsupported("/".join(call.parts))

    # Users

    def _user(
        self, call: ApiCall, account: SimulatedAccount, fields: tuple[GraphField, ...]
    ) -> JsonObject:
        whole = self._public_user(call, account) | {
            "ig_id": 7_000_000_000 + account.number,
            "user_id": account.id,
            "account_type": "BUSINESS",
            "business_discovery": lambda field: self._discovered(call, field),
        }
        return picked("IGUser", whole, fields, "id")

    def _public_user(self, call: ApiCall, account: SimulatedAccount) -> JsonObject:
        return {
            "id": account.id,
            "username": account.username,
            "name": account.name,
            "biography": account.about,
            "followers_count": account.followers(call.now),
            "follows_count": account.following,
            "media_count": len(self._world.posts(account, call.now)),
            "profile_picture_url": f"https://example.invalid/instagram/{account.number}.jpg",
            "website": "https://example.invalid" if account.number % 3 else None,
        }

    def _discovered(self, call: ApiCall, field: GraphField) -> JsonObject:
        name = field.arguments.get("username", "")
        found = self._world.named("instagram", name)
        if found is None or found.is_gone(call.now):
            text = f"The user with username: {name} cannot be found."
            title = {"error_user_title": "Cannot find User", "error_user_msg": text}
            raise Refused(graph_error(400, 110, "Invalid user id", 2207013, **title))
        whole = self._public_user(call, found) | {
            "media": lambda inner: self._discovered_media(call, found, inner)
        }
        return picked("IGUser", whole, field.fields, "id")

    def _discovered_media(
        self, call: ApiCall, account: SimulatedAccount, field: GraphField
    ) -> JsonObject:
        """Return media with cursors and never `next`: one goes on until `data` is empty."""
        posts = self._world.posts(account, call.now)
        inner = replace(call, query=dict(field.arguments), repeats=0)
        page = graph_page(
            inner,
            self._all,
            posts,
            lambda post: self._media(call, post, field.fields, is_owner=False),
            scope=f"discovered {account.id}",
        )
        if "paging" in page:
            cursors = page["paging"]["cursors"]
            is_first = "after" not in field.arguments
            page["paging"] = {"cursors": {"after": cursors["after"]} if is_first else cursors}
        return page

    # Media

    def _media_list(
        self, call: ApiCall, account: SimulatedAccount, fields: tuple[GraphField, ...], edge: str
    ) -> JsonObject:
        posts = self._world.posts(account, call.now) if edge == "media" else []
        return graph_page(
            call,
            self._all,
            posts,
            lambda post: self._media(call, post, fields),
            scope=f"{edge} {account.id}",
        )

    def _media(
        self,
        call: ApiCall,
        post: SimulatedPost,
        fields: tuple[GraphField, ...],
        *,
        is_owner: bool = True,
    ) -> JsonObject:
        counters = self._world.counters(post, call.now)
        is_reel = post.kind == "REELS"
        code = post.id[-8:]
        picture = call.picture(post.id)
        whole: JsonObject = {
            "id": post.id,
            "caption": post.text,
            "media_type": "VIDEO" if is_reel else post.kind,
            "media_product_type": "REELS" if is_reel else "FEED",
            "like_count": None if post.is_hiding_likes else counters.likes,
            "comments_count": self._world.count_comments(post, call.now),
            "media_url": picture,
            "permalink": f"https://www.instagram.com/p/{code}/",
            "thumbnail_url": call.picture(f"{post.id}_t") if is_reel else None,
            "timestamp": offset_time(post.published),
            "username": post.account.username,
            "children": {"data": _children(post)} if _children(post) else None,
        }
        if is_owner:
            whole |= {
                "ig_id": f"26{post.id[3:]}",
                "is_comment_enabled": not post.has_comments_off,
                "shortcode": code,
                "owner": {"id": post.account.id},
                "insights": lambda field: self._insights.of_media(
                    replace(call, query={"metric": field.arguments.get("metric", "")}), post
                ),
            }
        return picked("ShadowIGMedia", whole, fields, "id")

    # Comments

    def _comment_list(
        self, call: ApiCall, post: SimulatedPost, fields: tuple[GraphField, ...]
    ) -> JsonObject:
        comments = self._world.comments(post, call.now)
        tops = [each for each in reversed(comments) if each.parent is None]
        page = graph_page(
            call,
            self._all,
            tops,
            lambda each: self._comment(call, each, fields),
            scope=f"comments {post.id}",
            most=50,
        )
        return _without_last_paging(page)

    def _reply_list(
        self, call: ApiCall, comment: SimulatedComment, fields: tuple[GraphField, ...]
    ) -> JsonObject:
        shown = self._world.comments(comment.post, call.now)
        page = graph_page(
            call,
            self._all,
            [each for each in shown if each.parent == comment.id],
            lambda each: self._comment(call, each, fields),
            scope=f"replies {comment.id}",
            most=50,
            is_newest_first=False,
        )
        return _without_last_paging(page)

    def _comment(
        self, call: ApiCall, comment: SimulatedComment, fields: tuple[GraphField, ...]
    ) -> JsonObject:
        now = call.now

        def replies(field: GraphField) -> JsonObject | None:
            """Return the first replies, with a link to more."""
            query = dict(field.arguments)
            query |= {"fields": written_fields(field.fields)} if field.fields else {}
            start = call.path.split("/")[1]
            version = f"/{start}" if start.startswith("v") else ""
            path = f"{version}/{comment.id}/replies"
            inner = replace(call, query=query, path=path, repeats=0)
            page = self._reply_list(inner, comment, field.fields)
            return page if page["data"] else None

        author = {"id": comment.author_id, "username": comment.author}
        whole = {
            "id": comment.id,
            "text": comment.text,
            "timestamp": offset_time(comment.published),
            "username": comment.author,
            "like_count": comment.likes_at(now),
            "from": author if comment.shows_author else None,
            "hidden": False,
            "media": {"id": comment.post.id},
            "parent_id": comment.parent,
            "replies": replies,
        }
        return picked("IGComment", whole, fields, "timestamp,text,id")


def _without_last_paging(page: JsonObject) -> JsonObject:
    """Leave `paging` out of a last page, and the cursor `before` out of others."""
    if "next" not in page.get("paging", {}):
        return {"data": page["data"]}
    after = page["paging"]["cursors"]["after"]
    return page | {"paging": {"cursors": {"after": after}, "next": page["paging"]["next"]}}


def _children(post: SimulatedPost) -> list[JsonObject] | None:
    if post.kind != "CAROUSEL_ALBUM":
        return None
    return [{"id": f"{post.id[:-1]}{post.id[-1]}{number}"} for number in range(1, 4)]
