"""What Instagram and Facebook share: Meta's Graph API.

Belongs here: field lists such as `id,comments.limit(0).summary(true)`, errors, pages with cursors,
insights, usage headers, long-lived tokens. Nodes and edges belong to `instagram` and `facebook`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode

from social_assets.demo.platforms.access.ledger import LimitUsage
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
    place_of,
    whole_number,
)
from social_assets.demo.platforms.world.clock import DAY, pacific_midnight_after, parsed

_NAME = re.compile(r"\w+")
_ARGUMENT = re.compile(r"\.(\w+)\(([^)]*)\)")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}$")
_LONG = 60 * DAY


class _Ordered(Protocol):
    @property
    def order(self) -> int: ...


D = TypeVar("D", bound=_Ordered)


@dataclass(frozen=True, slots=True)
class GraphField:
    """A field that a request asks for: `comments.limit(2){id,text}`."""

    name: str
    arguments: Mapping[str, str]
    fields: tuple[GraphField, ...]


def parsed_fields(text: str) -> tuple[GraphField, ...]:
    """Read a list of fields. Raises Refused for one that is not well formed."""
    fields, end = _fields_from(text.replace(" ", ""), 0)
    if end != len(text.replace(" ", "")):
        raise Refused(graph_error(400, 2500, f"Syntax error in fields at character {end}: {text}"))
    return fields


def _fields_from(text: str, place: int) -> tuple[tuple[GraphField, ...], int]:
    fields: list[GraphField] = []
    while (name := _NAME.match(text, place)) is not None:
        place = name.end()
        arguments: dict[str, str] = {}
        while (argument := _ARGUMENT.match(text, place)) is not None:
            arguments[argument[1]] = argument[2]
            place = argument.end()
        inner: tuple[GraphField, ...] = ()
        if text[place : place + 1] == "{":
            inner, place = _fields_from(text, place + 1)
            if text[place : place + 1] != "}":
                return tuple(fields), place
            place += 1
        fields.append(GraphField(name[0], arguments, inner))
        if text[place : place + 1] != ",":
            break
        place += 1
    return tuple(fields), place


def written_fields(fields: tuple[GraphField, ...]) -> str:
    """Write a list of fields as a request does."""
    return ",".join(
        field.name
        + "".join(f".{name}({value})" for name, value in field.arguments.items())
        + (f"{{{written_fields(field.fields)}}}" if field.fields else "")
        for field in fields
    )


def picked(
    node: str, whole: Mapping[str, Any], fields: tuple[GraphField, ...], default: str
) -> JsonObject:
    """Return the fields asked for, `id` always. A value that is a function is called with its
    field; None is left out, as Meta leaves out what is empty.
    """
    given: JsonObject = {}
    for field in fields or parsed_fields(default):
        if field.name not in whole:
            text = f"(#100) Tried accessing nonexisting field ({field.name}) on node type ({node})"
            raise Refused(graph_error(400, 100, text))
        value = whole[field.name]
        value = value(field) if callable(value) else value
        if value is not None:
            given[field.name] = value
    return given | {"id": whole["id"]}


def graph_error(
    status: int, code: int, message: str, subcode: int | None = None, **more: object
) -> ApiAnswer:
    """Return an error as Meta writes them."""
    error: JsonObject = {"message": message, "type": "OAuthException", "code": code, **more}
    if subcode is not None:
        error["error_subcode"] = subcode
    error["fbtrace_id"] = f"A{digits(message)}"
    return ApiAnswer(status, {"error": error})


def unsupported(node_id: str) -> Refused:
    """Return the error for a node that does not exist or is another's."""
    text = (
        f"Unsupported get request. Object with ID '{node_id}' does not exist, cannot be loaded due "
        "to missing permissions, or does not support this operation. Please read the Graph API "
        "documentation at https://developers.facebook.com/docs/graph-api"
    )
    error = graph_error(400, 100, text, 33)
    error.body["error"]["type"] = "GraphMethodException"
    return Refused(error)


class GraphFaults:
    """How both APIs answer to too many calls, and when they fail."""

    throttles: tuple[tuple[int, int, str], ...]
    """Status, code and text of each answer to too many calls; none is a 429."""

    def throttled(self, call: ApiCall) -> ApiAnswer:
        """Return one of the answers to too many calls."""
        number = int(digits(f"{call.path}{call.query}"))
        status, code, text = self.throttles[number % len(self.throttles)]
        return graph_error(status, code, text, is_transient=True)

    def broken(self, call: ApiCall, status: int) -> ApiAnswer:
        """Return Meta's answer when it fails."""
        del call
        text = "An unexpected error has occurred. Please retry your request later."
        return graph_error(status, 2, text, is_transient=True)


def grant_of(platforms: Platforms, platform: str, call: ApiCall) -> TokenGrant:
    """Return the grant of the call's token. Raises Refused with code 190."""
    grant = platforms.tokens.state(platform, call.token, call.now)
    if isinstance(grant, TokenGrant):
        return grant
    start = "Error validating access token: "
    message, subcode = {
        "expired": (f"{start}Session has expired", 463),
        "revoked": (f"{start}The user has not authorized application", 458),
    }.get(grant, ("Invalid OAuth access token - Cannot parse access token", None))
    raise Refused(graph_error(400, 190, message, subcode))


def exchanged(platforms: Platforms, platform: str, call: ApiCall) -> ApiAnswer:
    """Exchange a long-lived token for one that lives 60 days from now (`fb_exchange_token`)."""
    client = (call.query.get("client_id"), call.query.get("client_secret"))
    if client not in [platforms.tokens.client(platform, app) for app in (1, 2, 3)]:
        raise Refused(
            graph_error(400, 101, "Error validating application. Invalid application ID.")
        )
    call.token = call.query.get("fb_exchange_token")
    grant = platforms.tokens.renewed(grant_of(platforms, platform, call), call.now)
    return ApiAnswer(
        200, {"access_token": grant.access, "token_type": "bearer", "expires_in": _LONG}
    )


def usage_header(kind: str, subject: str, usage: LimitUsage) -> dict[str, str]:
    """Return the header of a business use case: percents, and minutes until calls are allowed."""
    minutes = 0 if usage.is_allowed else max(1, int(usage.wait_seconds / 60) + 1)
    one = {
        "type": kind,
        "call_count": usage.percent if usage.is_allowed else 100,
        "total_cputime": usage.percent // 4,
        "total_time": usage.percent // 5,
        "estimated_time_to_regain_access": minutes,
    }
    return {"x-business-use-case-usage": json.dumps({subject: [one]})}


def graph_page(
    call: ApiCall,
    platforms: Platforms,
    records: Sequence[D],
    make: Callable[[D], JsonObject],
    *,
    scope: str,
    most: int = 100,
    is_newest_first: bool = True,
) -> JsonObject:
    """Return a page of `data` and `paging`. A cursor names a record: one that was inserted before
    it shifts nothing. The last page has cursors, and no `next`.
    """
    size = whole_number(call.query.get("limit"), 25, most)
    sign = -1 if is_newest_first else 1
    start, end = 0, size
    after, before = call.query.get("after"), call.query.get("before")
    if after or before:
        place = _place(call, platforms, after or before or "", scope) * sign
        if after:
            start = next((n for n, r in enumerate(records) if r.order * sign > place), len(records))
            end = start + size
        else:
            end = next((n for n, r in enumerate(records) if r.order * sign >= place), len(records))
            start = max(0, end - size)
    cut = records[max(0, start - call.repeats) if after else start : end]
    body: JsonObject = {"data": [make(record) for record in cut]}
    if not cut:
        return body
    first, last = (cursor_of(str(each.order), scope, call.now) for each in (cut[0], cut[-1]))
    paging: JsonObject = {"cursors": {"before": first, "after": last}}
    kept = {k: v for k, v in call.query.items() if k not in ("after", "before", "limit")}
    kept["limit"] = str(size)
    if end < len(records):
        paging["next"] = f"{call.url}{call.path}?{urlencode(kept | {'after': last})}"
    if start > 0:
        paging["previous"] = f"{call.url}{call.path}?{urlencode(kept | {'before': first})}"
    return body | {"paging": paging}


def _place(call: ApiCall, platforms: Platforms, cursor: str, scope: str) -> int:
    try:
        return int(place_of(cursor, scope, call.now, platforms.cursor_seconds))
    except CursorError:
        text = "Invalid parameter: the cursor is not valid or has expired"
        raise Refused(graph_error(400, 100, text, 1349125)) from None


def metric_object(subject: str, name: str, period: str, values: Sequence[JsonObject]) -> JsonObject:
    """Return a metric of insights with its values."""
    return {
        "name": name,
        "period": period,
        "values": list(values),
        "title": name.replace("_", " "),
        "description": "(text)",
        "id": f"{subject}/insights/{name}/{period}",
    }


def window_of(call: ApiCall, most_days: int) -> tuple[int, int]:
    """Return `since` and `until` of a request; a date is its midnight in Pacific Time."""
    until = _bound(call.query.get("until"), int(call.now))
    since = _bound(call.query.get("since"), until - 2 * DAY)
    if until - since > most_days * DAY:
        text = f"(#100) There cannot be more than {most_days} days ({most_days * DAY} s) between "
        raise Refused(graph_error(400, 100, text + "since and until"))
    return since, until


def _bound(text: str | None, default: int) -> int:
    if text is None:
        return default
    try:
        at = parsed(text)
    except ValueError:
        raise Refused(graph_error(400, 100, f"(#100) Invalid date: {text}")) from None
    return pacific_midnight_after(at) if _DATE.match(text) else at


def window_paging(call: ApiCall, since: int, until: int) -> JsonObject:
    """Return links to the windows before and after: they are always there."""
    kept = {k: v for k, v in call.query.items() if k not in ("since", "until")}
    length = max(DAY, until - since)

    def link(first: int) -> str:
        window = {"since": str(first), "until": str(first + length)}
        return f"{call.url}{call.path}?{urlencode(kept | window)}"

    return {"previous": link(since - length), "next": link(until)}


def asked_metrics(call: ApiCall) -> list[str]:
    """Return the metrics of a request. Raises Refused if it names none."""
    metrics = [name for name in call.query.get("metric", "").split(",") if name]
    if not metrics:
        raise Refused(graph_error(400, 100, "(#100) The parameter metric is required"))
    return metrics
