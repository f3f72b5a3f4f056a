"""Facebook Pages on the Graph API.

Belongs here: pages, posts, comments, the list of pages with their tokens, insights, exchange of
tokens. Insights need a page's own token; an app's token here is a user's, who manages all pages.
"""

from __future__ import annotations

import json
from dataclasses import replace

from social_assets.demo.platforms.access.tokens import TokenGrant
from social_assets.demo.platforms.apis.answers import (
    ApiAnswer,
    ApiCall,
    JsonObject,
    Platforms,
    Refused,
)
from social_assets.demo.platforms.apis.facebook_insights import FacebookInsights
from social_assets.demo.platforms.apis.graph import (
    GraphFaults,
    GraphField,
    asked_metrics,
    exchanged,
    grant_of,
    graph_error,
    graph_page,
    parsed_fields,
    picked,
    unsupported,
    usage_header,
    window_of,
)
from social_assets.demo.platforms.world.accounts import SimulatedAccount
from social_assets.demo.platforms.world.clock import offset_time
from social_assets.demo.platforms.world.comments import SimulatedComment
from social_assets.demo.platforms.world.posts import SimulatedPost

_APP_LIMIT = "(#4) Application request limit reached"
_USER_LIMIT = "(#17) User request limit reached"
_PAGE_LIMIT = (
    "(#80001) There have been too many calls to this Page account. Wait a bit and try again."
)
_THROTTLES = (
    (403, 4, _APP_LIMIT),
    (400, 17, _USER_LIMIT),
    (400, 32, "(#32) Page request limit reached"),
    (400, 613, "(#613) Calls to this api have exceeded the rate limit."),
    (400, 80001, _PAGE_LIMIT),
)
_Fields = tuple[GraphField, ...]


class FacebookApi(GraphFaults):
    """Answers as graph.facebook.com does for pages."""

    throttles = _THROTTLES

    def __init__(self, platforms: Platforms) -> None:
        self._all = platforms
        self._world = platforms.world
        self._insights = FacebookInsights(platforms)

    def answer(self, call: ApiCall) -> ApiAnswer:
        """Answer a call."""
        try:
            if call.parts == ("oauth", "access_token"):
                call.endpoint = "oauth_access_token"
                return exchanged(self._all, "facebook", call)
            return self._data(call)
        except Refused as refused:
            return refused.answer

    # Access

    def _data(self, call: ApiCall) -> ApiAnswer:
        grant = grant_of(self._all, "facebook", call)
        node, edge = (*call.parts, "", "")[:2]
        if node == "me" and grant.account_id:
            node = grant.account_id
        page = self._world.account("facebook", node) or self._world.named("facebook", node)
        post = None if page else self._world.post("facebook", node, call.now)
        comment = None if page or post else self._comment_named(node, call.now)
        item = comment or post
        call.endpoint = self._endpoint(call, page, item, edge)
        of = comment.post if comment else post
        owner = of.account if of else page
        headers = self._counted(call, grant)
        try:
            if node == "me":
                body = (
                    self._accounts(call) if edge == "accounts" else {"id": "1", "name": "Manager"}
                )
            elif "ids" in call.query:
                body = self._batch(call)
            elif owner is None or self._world.current(owner).is_gone(call.now):
                raise unsupported(node)
            else:
                body = self._body(call, grant, page or item, edge)
        except Refused as refused:
            refused.answer.headers |= headers
            raise
        return ApiAnswer(200, body, headers)

    def _comment_named(self, node: str, now: float) -> SimulatedComment | None:
        is_comment = node.startswith("12") and "_" in node
        return self._world.comment("facebook", node, now) if is_comment else None

    @staticmethod
    def _endpoint(
        call: ApiCall,
        page: SimulatedAccount | None,
        item: SimulatedPost | SimulatedComment | None,
        edge: str,
    ) -> str:
        if call.parts[:1] == ("me",):
            return "me_accounts" if edge == "accounts" else "me"
        kind = "page" if page else "post" if isinstance(item, SimulatedPost) else "comment"
        if item is None and page is None:
            kind = "batch" if "ids" in call.query else "unknown"
        return f"{kind}_{edge}" if edge else kind

    def _counted(self, call: ApiCall, grant: TokenGrant) -> dict[str, str]:
        """Count the call against the limits of its token; return the usage headers."""
        ledger, app = self._all.ledger, f"app-{grant.app}"
        if grant.account_id is not None:
            of_app = ledger.take("facebook.app", app, call.now, cost=0)
            usage = ledger.take("facebook.page", grant.account_id, call.now)
            headers = usage_header("pages", grant.account_id, usage)
            name, error = "facebook.page", graph_error(400, 80001, _PAGE_LIMIT, is_transient=True)
        else:
            of_app = ledger.take("facebook.app", app, call.now)
            headers = {}
            usage = of_app
            name, error = "facebook.app", graph_error(403, 4, _APP_LIMIT, is_transient=True)
            if of_app.is_allowed:
                usage = ledger.take("facebook.user", grant.name, call.now)
                name = "facebook.user"
                error = graph_error(400, 17, _USER_LIMIT, is_transient=True)
        percent = max(of_app.percent, usage.percent if name == "facebook.user" else 0)
        of_usage = {
            "call_count": percent,
            "total_time": percent // 3,
            "total_cputime": percent // 3,
        }
        headers["x-app-usage"] = json.dumps(of_usage)
        if not usage.is_allowed:
            error.headers |= headers
            raise Refused(error)
        if not usage.remaining:
            ledger.announce(name, grant.name)
        return headers

    # Nodes and edges

    def _body(  # noqa: PLR0911 - a table of nodes and edges
        self,
        call: ApiCall,
        grant: TokenGrant,
        node: SimulatedAccount | SimulatedPost | SimulatedComment | None,
        edge: str,
    ) -> JsonObject:
        fields = parsed_fields(call.query.get("fields", ""))
        if edge == "insights":
            owner = node if isinstance(node, SimulatedAccount) else None
            owner = node.account if isinstance(node, SimulatedPost) else owner
            if owner is None or grant.account_id != owner.id:
                text = "(#210) A page access token is required to request this resource."
                raise Refused(graph_error(400, 210, text))
        match (node, edge):
            case (SimulatedAccount() as page, ""):
                return self._page(page, fields, call.now)
            case (SimulatedAccount() as page, "posts" | "feed" | "published_posts"):
                return self._post_list(call, page, fields)
            case (SimulatedAccount() as page, "insights"):
                return self._insights.of_page(call, page)
            case (SimulatedPost() as post, ""):
                return self._post(call, post, fields)
            case (SimulatedPost() as post, "insights"):
                return {"data": self._insights.of_post(post, asked_metrics(call), call.now)}
            case (SimulatedPost() | SimulatedComment() as item, "comments"):
                return self._comment_list(call, item, fields)
            case (SimulatedComment() as comment, ""):
                return self._comment(comment, fields, call.now)
        raise unsupported("/".join(call.parts))

    def _batch(self, call: ApiCall) -> JsonObject:
        """Return several nodes by id; one that is unknown fails the whole request."""
        fields = parsed_fields(call.query.get("fields", ""))
        found: JsonObject = {}
        for each in call.query["ids"].split(","):
            page = self._world.account("facebook", each)
            post = self._world.post("facebook", each, call.now)
            if page is not None and not page.is_gone(call.now):
                found[each] = self._page(page, fields, call.now)
            elif post is not None:
                found[each] = self._post(call, post, fields)
            else:
                raise unsupported(each)
        return found

    def _accounts(self, call: ApiCall) -> JsonObject:
        """List the pages that a user manages, each with its own token."""
        pages = [p for p in self._world.accounts("facebook") if not p.is_gone(call.now)]
        fields = parsed_fields(
            call.query.get("fields", "") or "access_token,category,name,id,tasks"
        )
        listed = [_Managed(page, page.number) for page in pages]
        return graph_page(
            call,
            self._all,
            listed,
            lambda each: self._page(each.page, fields, call.now),
            scope="me accounts",
            is_newest_first=False,
        )

    def _page(self, page: SimulatedAccount, fields: _Fields, now: float) -> JsonObject:
        followers = page.followers(now)
        grant = self._all.tokens.grants["facebook", page.id]
        whole = {
            "id": page.id,
            "name": page.name,
            "username": page.username,
            "about": page.about,
            "category": f"{page.name.split()[-1]} shop",
            "fan_count": followers * 9 // 10,
            "followers_count": followers,
            "link": f"https://www.facebook.com/{page.id}",
            "verification_status": "blue_verified" if page.is_verified else "not_verified",
            "talking_about_count": followers // 50,
            "website": None,
            "picture": {"data": {"url": f"https://example.invalid/facebook/{page.number}.jpg"}},
            "access_token": grant.access,
            "tasks": ["ANALYZE", "MODERATE", "CREATE_CONTENT"],
            "instagram_business_account": {"id": f"178414{page.number:011d}"},
        }
        return picked("Page", whole, fields, "name,id")

    def _post_list(self, call: ApiCall, page: SimulatedAccount, fields: _Fields) -> JsonObject:
        since, until = 0, 1 << 62
        if "since" in call.query or "until" in call.query:
            since, until = window_of(call, 100_000)
        posts = [p for p in self._world.posts(page, call.now) if since <= p.published <= until]
        return graph_page(
            call,
            self._all,
            posts,
            lambda post: self._post(call, post, fields),
            scope=f"posts {page.id}",
        )

    def _post(self, call: ApiCall, post: SimulatedPost, fields: _Fields) -> JsonObject:
        now = call.now
        counters = self._world.counters(post, now)

        def comments(field: GraphField) -> JsonObject:
            query = dict(field.arguments) | {"filter": field.arguments.get("filter", "toplevel")}
            return self._comment_list(replace(call, query=query, repeats=0), post, field.fields)

        def reactions(field: GraphField) -> JsonObject:
            summary = {"total_count": counters.likes}
            return {"data": []} | ({"summary": summary} if "summary" in field.arguments else {})

        whole = {
            "id": post.id,
            "message": post.text,
            "created_time": offset_time(post.published),
            "updated_time": offset_time(post.published),
            "permalink_url": f"https://www.facebook.com/{post.id}",
            "status_type": post.kind,
            "from": {"name": post.account.name, "id": post.account.id},
            "full_picture": call.picture(post.id),
            "is_published": True,
            "reactions": reactions,
            "likes": reactions,
            "comments": comments,
            "shares": {"count": counters.shares} if counters.shares else None,
            "insights": lambda field: {
                "data": self._insights.of_post(
                    post, [m for m in field.arguments.get("metric", "").split(",") if m], now
                )
            },
        }
        return picked("PagePost", whole, fields, "created_time,message,id")

    def _comment_list(
        self, call: ApiCall, item: SimulatedPost | SimulatedComment, fields: _Fields
    ) -> JsonObject:
        post = item.post if isinstance(item, SimulatedComment) else item
        is_reply_list = isinstance(item, SimulatedComment)
        is_page_wanted = call.query.get("limit") != "0"
        shown = self._world.comments(post, call.now) if is_page_wanted or is_reply_list else []
        if is_reply_list:
            shown = [each for each in shown if each.parent == item.id]
        elif call.query.get("filter") != "stream":
            shown = [each for each in shown if each.parent is None]
        is_reverse = call.query.get("order") == "reverse_chronological"
        page: JsonObject = {"data": []}
        if is_page_wanted:
            page = graph_page(
                call,
                self._all,
                list(reversed(shown)) if is_reverse else shown,
                lambda each: self._comment(each, fields, call.now),
                scope=f"comments {item.id}",
                is_newest_first=is_reverse,
            )
        if call.query.get("summary") in ("1", "true", "total_count"):
            order = "reverse_chronological" if is_reverse else "chronological"
            total = len(shown) if is_reply_list else self._world.count_comments(post, call.now)
            page["summary"] = {
                "order": order,
                "total_count": total,
                "can_comment": not post.has_comments_off,
            }
        return page

    def _comment(self, comment: SimulatedComment, fields: _Fields, now: float) -> JsonObject:
        def parent(field: GraphField) -> JsonObject | None:
            of = self._world.comment("facebook", comment.parent or "", now)
            return self._comment(of, field.fields, now) if of else None

        def replies(_: GraphField) -> int:
            shown = self._world.comments(comment.post, now)
            return sum(each.parent == comment.id for each in shown)

        number = comment.id.split("_")
        whole = {
            "id": comment.id,
            "message": comment.text,
            "created_time": offset_time(comment.published),
            "from": {"id": comment.author_id, "name": comment.author}
            if comment.shows_author
            else None,
            "like_count": comment.likes_at(now),
            "comment_count": replies,
            "permalink_url": f"https://www.facebook.com/{number[0]}?comment_id={number[1]}",
            "parent": parent,
            "is_hidden": False,
        }
        return picked("Comment", whole, fields, "created_time,from,message,id")


class _Managed:
    """A page in a list that is ordered by number."""

    def __init__(self, page: SimulatedAccount, order: int) -> None:
        self.page = page
        self.order = order
