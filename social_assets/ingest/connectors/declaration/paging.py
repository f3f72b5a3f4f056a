"""The ways in which platforms give the next page, and how each of them says that there is none.

Belongs here: the declared paginators, as values. `client` follows them. A cursor that is given does
not mean that there is another page: Meta and TikTok give one with the last page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class OnePage:
    """The answer is all there is, whatever links it has: profiles, insights."""


@dataclass(frozen=True)
class WhileNext:
    """Graph API: there is another page if `next` is there; it begins after the cursor.

    Without a cursor, the query of the address in `next` is asked for, on the same path and host.
    """

    next: str = "paging.next"
    cursor: str = "paging.cursors.after"
    parameter: str = "after"
    size: str = "limit"
    """The parameter that asks for so many records in a page."""


@dataclass(frozen=True)
class UntilEmpty:
    """There is a cursor and never a link: go on until a page has no records or no cursor.

    The variable `$cursor` of the endpoint's query is `wrapped` around the cursor, and empty on the
    first page.
    """

    cursor: str
    wrapped: str


@dataclass(frozen=True)
class WhileToken:
    """There is another page if the body has a token (X, YouTube)."""

    token: str
    parameter: str


@dataclass(frozen=True)
class WhileMore:
    """There is another page if the flag is true; the cursor goes into the JSON body (TikTok)."""

    more: str
    cursor: str
    parameter: str = "cursor"


@dataclass(frozen=True)
class LinkHeader:
    """There is another page if the header `Link` has one with rel="next" (RFC 8288: Mastodon).

    The query of that address is asked for, on the same path and host.
    """


Paging = OnePage | WhileNext | UntilEmpty | WhileToken | WhileMore | LinkHeader


@dataclass(frozen=True)
class SinceId:
    """The platform gives only what is newer than an id: `parameter`. `id` is its place in a record.

    The greatest id, as a number, is the next mark. `first_id` gives the smallest id of a time, on a
    platform whose ids tell their time.
    """

    parameter: str = "since_id"
    id: str = "id"
    first_id: Callable[[datetime], str] | None = None


@dataclass(frozen=True)
class NewestFirst:
    """Records come newest first, so reading stops at what is known.

    `time` is the place in a record. Pages are read until all records of one are older than the mark
    less `margin`: posts that are newer than that are read again, since their counters change. A
    page that is not newest first stops nothing.
    """

    time: str
    margin: timedelta = timedelta(days=7)


Since = SinceId | NewestFirst
