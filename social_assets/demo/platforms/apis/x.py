"""X API v2.

Belongs here: users, timelines, lookups, recent search, usage, OAuth 2.0. Both spellings are given:
`tweet.fields` and `retweet_count` as the documentation has them, `post.fields` and `repost_count`
as OpenAPI 2.167 has them. Replies are posts with a `conversation_id`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from social_assets.demo.platforms.access.tokens import TokenGrant
from social_assets.demo.platforms.apis.answers import (
    ApiAnswer,
    ApiCall,
    CursorError,
    JsonObject,
    Platforms,
    Refused,
    cursor_of,
    place_of,
)
from social_assets.demo.platforms.apis.x_errors import (
    PROBLEM,
    forbidden,
    invalid_request,
    not_authorized,
    not_found,
    oauth_error,
    too_many,
    usage_capped,
)
from social_assets.demo.platforms.apis.x_objects import (
    Spelling,
    reply_object,
    tweet_object,
    user_object,
)
from social_assets.demo.platforms.world.clock import DAY, parsed
from social_assets.demo.platforms.world.comments import SimulatedComment
from social_assets.demo.platforms.world.posts import SimulatedPost

_MOST_OF_A_TIMELINE = 3_200
_POST_PRICE = 0.005
_USER_PRICE = 0.010

Item = SimulatedPost | SimulatedComment
_Handler = Callable[[ApiCall, TokenGrant], ApiAnswer]


class XApi:
    """Answers as api.x.com does."""

    def __init__(self, platforms: Platforms) -> None:
        self._all = platforms
        self._world = platforms.world

    def answer(self, call: ApiCall) -> ApiAnswer:
        """Answer a call."""
        try:
            if call.parts[:2] == ("oauth2", "token"):
                call.endpoint = "oauth2_token"
                return self._token(call)
            return self._data(call)
        except Refused as refused:
            return refused.answer
        except ValueError as error:  # a number or a time that is none
            return invalid_request("query", str(call.query), str(error))

    def throttled(self, call: ApiCall) -> ApiAnswer:
        """Return 429 with a window that ends in a moment."""
        reset = {"x-rate-limit-limit": "900", "x-rate-limit-remaining": "0"}
        return too_many(
            reset | {"x-rate-limit-reset": str(int(self._all.ledger.time(call.now)) + 1)}
        )

    def broken(self, call: ApiCall, status: int) -> ApiAnswer:  # noqa: ARG002 - others need it
        """Return X's answer when it fails."""
        titles = {500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable"}
        title = titles.get(status, "Error")
        body = {"title": title, "detail": title, "type": "about:blank", "status": status}
        return ApiAnswer(status, body, content_type=PROBLEM)

    # Access

    def _token(self, call: ApiCall) -> ApiAnswer:
        if call.form.get("grant_type") != "refresh_token":
            return oauth_error("unsupported_grant_type", "Only refresh_token is supported here.")
        id_and_secret = self._all.tokens.client("x")
        is_public = call.basic is None and call.form.get("client_id") == id_and_secret[0]
        if call.basic != id_and_secret and not is_public:
            return ApiAnswer(
                401,
                {
                    "error": "unauthorized_client",
                    "error_description": "Missing valid authorization header",
                },
            )
        refresh = call.form.get("refresh_token")
        grant = self._all.tokens.refreshed("x", refresh, call.now, self._all.ledger)
        if grant is None:
            return oauth_error("invalid_request", "Value passed for the token was invalid.")
        return ApiAnswer(
            200,
            {
                "token_type": "bearer",
                "expires_in": int(grant.expires - call.now),
                "access_token": grant.access,
                "scope": "tweet.read users.read offline.access",
                "refresh_token": grant.refresh,
            },
        )

    def _data(self, call: ApiCall) -> ApiAnswer:
        handler, call.endpoint = self._route(call)
        grant = self._all.tokens.state("x", call.token, call.now)
        if isinstance(grant, str):
            body = {"title": "Unauthorized", "type": "about:blank", "status": 401}
            return ApiAnswer(401, body | {"detail": "Unauthorized"}, content_type=PROBLEM)
        call.app = grant.app
        kind = "app" if grant.account_id is None else "user"
        name = f"x.{call.endpoint}.{kind}"
        usage = self._all.ledger.take(name, grant.name, call.now)
        headers = {
            "x-rate-limit-limit": str(usage.limit),
            "x-rate-limit-remaining": str(usage.remaining),
            "x-rate-limit-reset": str(usage.resets_at),
        }
        if not usage.is_allowed:
            return too_many(headers)
        answer = handler(call, grant)
        answer.headers |= headers | {"x-access-level": "read"}
        if not usage.remaining:
            self._all.ledger.announce(name, grant.name)
        return answer

    def _route(self, call: ApiCall) -> tuple[_Handler, str]:  # noqa: PLR0911 - a table of paths
        match call.parts:
            case ("users", "me"):
                return self._me, "users_me"
            case ("users",) | ("users", "by"):
                return self._users, "users"
            case ("users", "by", "username", _) | ("users", _):
                return self._user, "users"
            case ("users", _, "tweets") | ("users", _, "posts"):
                return self._timeline, "users_tweets"
            case ("tweets" | "posts", "search", "recent"):
                return self._search, "search_recent"
            case ("tweets" | "posts",):
                return self._tweets, "tweets"
            case ("tweets" | "posts", _):
                return self._tweet, "tweet"
            case ("usage", "tweets"):
                return self._usage, "usage"
        body = {"title": "Not Found", "type": "about:blank", "status": 404, "detail": "Not Found"}
        raise Refused(ApiAnswer(404, body, content_type=PROBLEM))

    # Users

    def _me(self, call: ApiCall, grant: TokenGrant) -> ApiAnswer:
        if grant.account_id is None:
            raise Refused(forbidden("Authenticating with OAuth 2.0 Application-Only is forbidden"))
        return self._user_answer(call, [grant.account_id], "id", single=True)

    def _user(self, call: ApiCall, _: TokenGrant) -> ApiAnswer:
        field = "username" if len(call.parts) == 4 else "id"
        return self._user_answer(call, [call.parts[-1]], field, single=True)

    def _users(self, call: ApiCall, _: TokenGrant) -> ApiAnswer:
        parameter = "usernames" if len(call.parts) == 2 else "ids"
        return self._user_answer(call, _listed(call, parameter), parameter, single=False)

    def _user_answer(
        self, call: ApiCall, names: list[str], parameter: str, *, single: bool
    ) -> ApiAnswer:
        by_name = parameter.startswith("username")
        spelling, data, errors = self._spelling(call), [], []
        for name in names:
            of = self._world.named("x", name) if by_name else self._world.account("x", name)
            if of is None or of.is_gone(call.now):
                errors.append(not_found("user", name, parameter))
                continue
            self._all.ledger.charge(f"user {of.id}", call.now, _USER_PRICE)
            data.append(
                user_object(self._world, of, _fields(call, "user.fields"), spelling, call.now)
            )
        return _answer(data[0] if single and data else data, errors)

    # Posts

    def _timeline(self, call: ApiCall, grant: TokenGrant) -> ApiAnswer:
        account = self._world.account("x", call.parts[1])
        if account is None or account.is_gone(call.now):
            return _answer([], [not_found("user", call.parts[1], "id")])
        if account.is_private and grant.account_id != account.id:
            return _answer([], [not_authorized(account)])
        posts: list[Item] = list(self._world.posts(account, call.now))
        excluded = call.query.get("exclude", "").split(",")
        if "retweets" in excluded:
            posts = [post for post in posts if _kind(post) != "retweet"]
        return self._page(call, posts[:_MOST_OF_A_TIMELINE], f"timeline {account.id}", 5, "posts")

    def _search(self, call: ApiCall, _: TokenGrant) -> ApiAnswer:
        query = call.query.get("query", "")
        if not query:
            raise Refused(invalid_request("query", "", "query can not be empty"))
        words = [word.strip("()") for word in query.split()]
        values = [word.partition(":")[::2] for word in words]
        found: list[Item] = []
        for each in dict.fromkeys(value for name, value in values if name == "conversation_id"):
            post = self._world.post("x", each, call.now)
            if post is not None and not self._world.current(post.account).is_private:
                found += [post, *self._world.comments(post, call.now)]
        for each in (value for name, value in values if name == "from"):
            author = self._world.named("x", each)
            if author is not None and not author.is_private and "conversation_id:" not in query:
                found += self._world.posts(author, call.now)
        left_out = {word.removeprefix("-is:") for word in words if word.startswith("-is:")}
        is_reply = "is:reply" in words
        kept = [
            each
            for each in found
            if each.published > call.now - 7 * DAY
            and _kind(each) not in left_out
            and (not is_reply or _kind(each) == "reply")
        ]
        kept.sort(key=lambda each: int(each.id), reverse=True)
        return self._page(call, kept, f"search {query}", 10, "search")

    def _page(
        self, call: ApiCall, items: list[Item], scope: str, least: int, what: str
    ) -> ApiAnswer:
        query = call.query
        size = query.get("max_results", "10")
        if not size.isdigit() or not least <= int(size) <= 100:
            text = (
                f"The `max_results` query parameter value [{size}] is not between {least} and 100"
            )
            raise Refused(invalid_request("max_results", size, text))
        items = self._within(call, items)
        token = query.get("pagination_token") or query.get("next_token")
        before = self._before(call, token, scope)
        place = next((n for n, each in enumerate(items) if int(each.id) < before), len(items))
        start = max(0, place - call.repeats) if token else 0
        cut = items[start : place + int(size)]
        usage = self._all.ledger.take("x.posts_a_month", f"app-{call.app}", call.now, cost=len(cut))
        if not usage.is_allowed:
            raise Refused(usage_capped())
        spelling = self._spelling(call)
        data = [self._object(call, each, spelling) for each in cut]
        meta: JsonObject = {"result_count": len(data)}
        if data:
            meta |= {"newest_id": data[0]["id"], "oldest_id": data[-1]["id"]}
        if place + int(size) < len(items):
            meta["next_token"] = cursor_of(cut[-1].id, scope, call.now)
        if token and what == "posts":
            meta["previous_token"] = cursor_of(str(before), scope + " back", call.now)
        return ApiAnswer(200, ({"data": data} if data else {}) | {"meta": meta})

    def _before(self, call: ApiCall, token: str | None, scope: str) -> int:
        if token is None:
            return 1 << 63
        try:
            return int(place_of(token, scope, call.now, self._all.cursor_seconds))
        except CursorError:
            text = f"The `pagination_token` query parameter value [{token}] is not valid"
            raise Refused(invalid_request("pagination_token", token, text)) from None

    def _within(self, call: ApiCall, items: list[Item]) -> list[Item]:
        query = call.query
        since, until = int(query.get("since_id", 0)), int(query.get("until_id", 1 << 63))
        first = parsed(query["start_time"]) if "start_time" in query else 0
        last = parsed(query["end_time"]) if "end_time" in query else 1 << 62
        return [
            each
            for each in items
            if since < int(each.id) < until and first <= each.published < last
        ]

    def _tweets(self, call: ApiCall, grant: TokenGrant) -> ApiAnswer:
        return self._lookup(call, grant, _listed(call, "ids"), "ids", single=False)

    def _tweet(self, call: ApiCall, grant: TokenGrant) -> ApiAnswer:
        return self._lookup(call, grant, [call.parts[1]], "id", single=True)

    def _lookup(
        self, call: ApiCall, grant: TokenGrant, ids: list[str], parameter: str, *, single: bool
    ) -> ApiAnswer:
        spelling, data, errors = self._spelling(call), [], []
        for each in ids:
            item: Item | None = self._world.post("x", each, call.now)
            item = item or self._world.comment("x", each, call.now)
            if item is None:
                errors.append(not_found("tweet", each, parameter))
                continue
            owner = self._world.current(_post(item).account)
            if owner.is_private and grant.account_id != owner.id:
                errors.append(not_authorized(owner))
                continue
            data.append(self._object(call, item, spelling))
        if not self._all.ledger.take(
            "x.posts_a_month", f"app-{call.app}", call.now, cost=len(data)
        ).is_allowed:
            raise Refused(usage_capped())
        return _answer(data[0] if single and data else data, errors)

    def _object(self, call: ApiCall, item: Item, spelling: Spelling) -> JsonObject:
        self._all.ledger.charge(f"post {item.id}", call.now, _POST_PRICE)
        fields = _fields(call, "tweet.fields") | _fields(call, "post.fields")
        if isinstance(item, SimulatedComment):
            return reply_object(item, fields, spelling, call.now)
        return tweet_object(self._world, item, fields, spelling, call.now)

    def _usage(self, call: ApiCall, _: TokenGrant) -> ApiAnswer:
        usage = self._all.ledger.take("x.posts_a_month", f"app-{call.app}", call.now, cost=0)
        data = {"project_id": "1", "project_cap": str(usage.limit), "cap_reset_day": 1}
        return _answer(data | {"project_usage": str(usage.used)}, [])

    def _spelling(self, call: ApiCall) -> Spelling:
        is_new = "post.fields" in call.query or self._all.x_spelling == "post"
        return "post" if is_new and "tweet.fields" not in call.query else "tweet"


def _post(item: Item) -> SimulatedPost:
    return item.post if isinstance(item, SimulatedComment) else item


def _kind(item: Item) -> str:
    kind = item.kind if isinstance(item, SimulatedPost) else "reply"
    return "retweet" if kind == "retweeted" else kind


def _fields(call: ApiCall, name: str) -> frozenset[str]:
    return frozenset(filter(None, call.query.get(name, "").split(",")))


def _listed(call: ApiCall, parameter: str) -> list[str]:
    values = [each for each in call.query.get(parameter, "").split(",") if each]
    if not 1 <= len(values) <= 100:
        text = f"The number of values in the `{parameter}` query parameter list [{len(values)}] "
        text += "is not between 1 and 100"
        raise Refused(invalid_request(parameter, call.query.get(parameter, ""), text))
    return values


def _answer(data: object, errors: Iterable[JsonObject]) -> ApiAnswer:
    listed = list(errors)
    return ApiAnswer(200, ({"data": data} if data else {}) | ({"errors": listed} if listed else {}))
