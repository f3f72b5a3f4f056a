"""Fills in the request of an endpoint: path, query and body for one account, post or page.

Belongs here: variables and where cursors go. A value is never part of a path or a field list as it
comes: ids and names may hold only letters, digits and a few signs.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from string import Template
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from social_assets.control.collection.credentials import CredentialRecord
from social_assets.ingest.connectors.chain import ChainStart
from social_assets.ingest.connectors.connector import ApiEndpoint
from social_assets.ingest.connectors.declaration.paging import (
    LinkHeader,
    SinceId,
    UntilEmpty,
    WhileMore,
    WhileNext,
    WhileToken,
)
from social_assets.ingest.connectors.engine.answers import PlatformAnswer
from social_assets.ingest.connectors.errors import RequestRefusedError

_SAFE = re.compile(r"[\w.@:~-]{1,200}", re.ASCII)
_REL_NEXT = re.compile(r'<([^>]*)>\s*;[^,<]*\brel="?next"?')
_QUERY = "?"
"""Begins a cursor that is the query of an address."""
_SECRETS = {"access_token", "appsecret_proof", "client_secret", "key"}


@dataclass(frozen=True)
class FilledRequest:
    """A request without its authentication."""

    method: str
    path: str
    query: dict[str, str] = field(repr=False)
    json: object | None = field(default=None, repr=False)


def filled(
    endpoint: ApiEndpoint,
    start: ChainStart,
    credential: CredentialRecord,
    now: datetime,
    *,
    cursor: str | None,
    without_metrics: frozenset[str] = frozenset(),
    halved: int = 0,
    ids: tuple[str, ...] = (),
) -> FilledRequest:
    """The request for a page. Raises RequestRefusedError for an id that cannot be one."""
    values = _variables(start, credential, now)
    paging = endpoint.paging
    if isinstance(paging, UntilEmpty):
        wrapped = Template(paging.wrapped).safe_substitute(cursor=_safe(start, cursor or "x"))
        values["cursor"] = wrapped if cursor else ""
    path, query = endpoint.path, endpoint.query
    if endpoint.listing is not None and not ids:
        path, query = endpoint.listing.path, endpoint.listing.query
    filled_query = {name: _text(start, value, values) for name, value in query.items()}
    body = copy.deepcopy(dict(endpoint.json)) if endpoint.json is not None else None
    if without_metrics:
        names = filled_query[endpoint.metrics].split(",")
        filled_query[endpoint.metrics] = ",".join(n for n in names if n not in without_metrics)
    if halved and isinstance(paging, WhileNext):
        filled_query[paging.size] = str(max(1, int(query[paging.size]) >> halved))
    if isinstance(endpoint.since, SinceId) and start.since:
        filled_query[endpoint.since.parameter] = start.since
    if endpoint.ids is not None and ids:
        joined = [_safe(start, each) for each in ids]
        if endpoint.ids.parameter:
            filled_query[endpoint.ids.parameter] = ",".join(joined)
        else:
            _set(body, endpoint.ids.json_path, joined)
    elif cursor:
        _add_cursor(paging, cursor, filled_query, body)
    quoted = {name: quote(value, safe="") for name, value in values.items()}
    return FilledRequest(endpoint.method, _text(start, path, quoted), filled_query, body)


def next_cursor(endpoint: ApiEndpoint, answer: PlatformAnswer, records: int) -> str | None:
    """Where the next page begins; None on the last page, as the platform says it."""
    paging = endpoint.paging
    found: object = None
    if isinstance(paging, WhileNext):
        link = answer.at(paging.next)
        if link:
            found = answer.at(paging.cursor) or _query_of(str(link))
    elif isinstance(paging, WhileToken):
        found = answer.at(paging.token)
    elif isinstance(paging, WhileMore):
        found = answer.at(paging.cursor) if answer.at(paging.more) is True else None
    elif isinstance(paging, UntilEmpty):
        found = answer.at(paging.cursor) if records else None
    elif isinstance(paging, LinkHeader):
        match = _REL_NEXT.search(answer.headers.get("link", ""))
        found = _query_of(match[1]) if match else None
    return None if found is None or found == "" else str(found)


def _add_cursor(
    paging: object, cursor: str, query: dict[str, str], body: dict[str, object] | None
) -> None:
    if cursor.startswith(_QUERY):
        query.update(parse_qsl(cursor.removeprefix(_QUERY), keep_blank_values=True))
    elif isinstance(paging, WhileNext | WhileToken):
        query[paging.parameter] = cursor
    elif isinstance(paging, WhileMore):
        _set(body, paging.parameter, int(cursor) if cursor.isdigit() else cursor)


def _query_of(link: str) -> str:
    """The query of a link, without tokens: path and host are those of the endpoint, always."""
    pairs = parse_qsl(urlsplit(link).query, keep_blank_values=True)
    return _QUERY + urlencode([(k, v) for k, v in pairs if k not in _SECRETS])


def _variables(start: ChainStart, credential: CredentialRecord, now: datetime) -> dict[str, str]:
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    given = {
        "account_id": start.account.account_id,
        "handle": start.handle or start.account.account_id,
        "parent_id": start.parent_id,
        "credential_account_id": credential.account_id,
    }
    values = {name: _safe(start, value) for name, value in given.items() if value}
    # YouTube: the playlist of a channel's uploads has the channel's id, with UU for UC.
    values["uploads"] = "UU" + values["account_id"].removeprefix("UC")
    values["today"] = str(int(today.timestamp()))
    values["day_before_yesterday"] = str(int((today - timedelta(days=2)).timestamp()))
    return values


def _text(start: ChainStart, template: str, values: Mapping[str, str]) -> str:
    try:
        return Template(template).substitute(values)
    except KeyError as error:
        raise RequestRefusedError(
            start,
            f"the endpoint needs {error.args[0]}, and there is none",
            "start the chain with it, or store a credential that has it",
        ) from None


def _safe(start: ChainStart, value: str) -> str:
    if not _SAFE.fullmatch(value) or ".." in value:
        raise RequestRefusedError(
            start,
            f"{value[:50]!r} cannot be the id or name of an account or post",
            "track the account by its id, which has only letters, digits and . _ @ : ~ -",
        )
    return value


def _set(body: dict[str, object] | None, path: str, value: object) -> None:
    if body is None:
        raise TypeError("an endpoint whose cursor or ids go into the body declares `json`")
    *outer, last = path.split(".")
    for key in outer:
        inner = body.setdefault(key, {})
        if not isinstance(inner, dict):
            raise TypeError(f"{key} of the declared body is no object")
        body = inner
    body[last] = value
