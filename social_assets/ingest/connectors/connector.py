"""A platform as a declaration: its host, its authentication, its endpoints, its limits.

Belongs here: the values of such a declaration. `registry` finds the declarations, `client` runs
them. A new platform is a module with a `Connector`, and needs no change here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from social_assets.ingest.connectors.declaration.json_path import value_at
from social_assets.ingest.connectors.declaration.limits import (
    Limit,
    MoneyLimit,
    Price,
    UsageHeaders,
)
from social_assets.ingest.connectors.declaration.meanings import AnswerRule
from social_assets.ingest.connectors.declaration.oauth import OAuth, StaticToken
from social_assets.ingest.connectors.declaration.paging import OnePage, Paging, Since

ONE_PAGE = OnePage()
FREE = Price()
STATIC = StaticToken()


class AskedFor(Enum):
    """What one chain of an endpoint is about."""

    ACCOUNT = "per account"
    POST = "per recent post"
    """One chain a post: `ChainStart.parent_id`."""
    POSTS = "per recent posts"
    """One chain for many posts: `ChainStart.ids`, `ids.most` of them in a call."""


class Whose(Enum):
    """Of which accounts an endpoint tells."""

    OWN = "own"
    """Only of the account whose credential is used."""
    OTHERS = "others"
    """Of accounts without a credential of their own; any credential of the platform may ask."""
    ANY = "any"
    """Of all accounts; any credential of the platform may ask."""


class Frequency(Enum):
    """How often an endpoint is asked."""

    PRIORITY = "as often as the account's priority says"
    DAILY = "once a day, with the full refresh"


@dataclass(frozen=True)
class Ids:
    """Where an endpoint for many posts takes their ids: a parameter of the query (separated by
    commas), or a list at a path of the JSON body.
    """

    most: int
    parameter: str = ""
    json_path: str = ""
    record_id: str = "id"
    """Where a record has its id: an id without a record is a deleted post."""


@dataclass(frozen=True)
class Listing:
    """A page of this endpoint gives the ids for a call of the endpoint that has `ids` (YouTube).

    So one page of the chain is two calls, and holds the records of the second.
    """

    path: str
    query: Mapping[str, str]
    records: str
    id: str
    cost: int = 1


@dataclass(frozen=True)
class Overflow:
    """A record holds only the first of its inner records; `endpoint` gives all of them.

    It is asked, with the record's id as `$parent_id`, if the record says at `total` that there are
    more than the array at `held` has, or if there is anything at `more`. Inner records that the
    record holds come twice, which their keys remove.
    """

    endpoint: ApiEndpoint
    held: str
    total: str = ""
    more: str = ""
    id: str = "id"

    def parent_of(self, record: object) -> str | None:
        """The id to ask for; None if the record holds all of its inner records."""
        held, total = value_at(record, self.held), value_at(record, self.total)
        count = len(held) if isinstance(held, list) else 0
        is_short = isinstance(total, int) and total > count
        if not is_short and not (self.more and value_at(record, self.more)):
            return None
        id_ = value_at(record, self.id)
        return id_ if isinstance(id_, str) else None


@dataclass(frozen=True)
class ApiEndpoint:
    """One endpoint: what is asked, where the records stand, how pages follow each other.

    Paths and values may have the variables `$account_id`, `$handle`, `$parent_id`,
    `$credential_account_id`, `$cursor`, `$day_before_yesterday` and `$today` (Unix seconds).
    `records` is the path of an array or object in the body; empty for the whole body, `[]` for a
    body that is an array. `rows` are what becomes rows of the streams: the record itself (""), and
    arrays within it, such as `replies.data[]`. With `keyed_by`, a record is an object with an array
    at `data`, and lands as an object of its elements, each under its name at `keyed_by`.
    """

    name: str
    path: str
    streams: tuple[str, ...]
    records: str
    rows: tuple[str, ...] = ("",)
    keyed_by: str = ""
    method: str = "GET"
    query: Mapping[str, str] = field(default_factory=dict)
    json: Mapping[str, object] | None = None
    may_be_absent: bool = False
    """Whether an answer without `records` is an empty page."""
    paging: Paging = ONE_PAGE
    since: Since | None = None
    asked_for: AskedFor = AskedFor.ACCOUNT
    whose: Whose = Whose.ANY
    frequency: Frequency = Frequency.PRIORITY
    ids: Ids | None = None
    listing: Listing | None = None
    overflow: Overflow | None = None
    metrics: str = ""
    """Name of the parameter that lists metrics, one of which may be refused."""
    is_gone_if_empty: bool = False
    """Whether an empty answer means that the account does not exist."""
    cost: int = 1
    price: Price = FREE
    most_records: int = 100
    """At most so many records in an answer: their price is reserved before a call."""
    limits: tuple[Limit, ...] | None = None
    """Instead of those of the connector."""


@dataclass(frozen=True)
class Connector:
    """A platform.

    `lookup` is the endpoint that
    gives the id of an account by its `$handle`, at `lookup_id` of a record.
    """

    platform: str
    base_url: str
    endpoints: tuple[ApiEndpoint, ...]
    oauth: OAuth = STATIC
    rules: tuple[AnswerRule, ...] = ()
    limits: tuple[Limit, ...] = ()
    money: tuple[MoneyLimit, ...] = ()
    usage: UsageHeaders | None = None
    shares_credentials: bool = True
    """Whether calls may be spread over credentials: not if the quota is the project's."""
    lookup: ApiEndpoint | None = None
    lookup_id: str = "id"
    id_like: str = ""
    """A regular expression: a name that it matches whole is an id, and is not looked up."""

    def __post_init__(self) -> None:
        """Refuse a name that Dagster could not use for the platform's job. Raises ValueError."""
        if not re.fullmatch(r"[A-Za-z0-9_]{1,50}", self.platform):
            raise ValueError(
                f"the platform {self.platform!r} is named by other signs than letters, digits and _"
            )

    def endpoint(self, name: str) -> ApiEndpoint:
        """The endpoint of a name. Raises KeyError."""
        for each in self.endpoints:
            if each.name == name:
                return each
        known = ", ".join(each.name for each in self.endpoints)
        raise KeyError(f"{self.platform} has no endpoint {name!r}; known are {known}")

    def endpoints_of(self, *, is_own: bool) -> tuple[ApiEndpoint, ...]:
        """The endpoints to ask for an account, which has a credential of its own or not."""
        other = Whose.OTHERS if is_own else Whose.OWN
        return tuple(each for each in self.endpoints if each.whose is not other)
