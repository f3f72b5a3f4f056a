"""What served lists are to be like beside what users want: varied, fresh, few posts of a creator,
nothing shown lately, and places at which new posts are tried.

Belongs here: the rules, where they are declared, and reading what they need of posts and exposures.
The choice by them belongs to `recsys.scoring.lists`, trying new posts to `exploration`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from social_assets.recommend.errors import RecommendError

if TYPE_CHECKING:
    import pyarrow as pa
    from clickhouse_connect.driver.client import Client

    from recsys.scoring.current_users import PresentUsers
    from recsys.scoring.lists.choosing import Weights
    from recsys.scoring.lists.current_lists import CurrentLists

VARIABLE = "SOCIAL_ASSETS_LIST_RULES"
"""The environment variable that declares the rules, as a JSON object of the fields below."""

_MOST_SHOWN = 200
"""Shown items of a user, the newest first, that are left out."""

_TRAITS = """
SELECT
    post_id AS item_id,
    if(account_id IN ('', 'Unknown'), NULL, concat(platform, ':', account_id)) AS creator,
    toFloat32(dateDiff(
        'second',
        if(toYear(published_at) > 1970, published_at, first_seen_at),
        {now:DateTime64(6, 'UTC')}
    ) / 86400) AS age_days
FROM star.dim_post
"""

_SHOWN = """
SELECT user_id, item_id, max(shown_at) AS newest
FROM cleaned.recommendation_exposures
WHERE event_date >= {from_day:Date} AND shown_at > {since:DateTime64(6, 'UTC')}
    AND (empty({users:Array(String)}) OR user_id IN {users:Array(String)})
GROUP BY user_id, item_id
ORDER BY user_id, newest DESC, item_id
LIMIT {most:UInt32} BY user_id
"""


class ServedRules(BaseModel):
    """The rules of served lists. By default there are none: lists are the model's."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    diversity: float = Field(
        default=0.0, ge=0, le=1, description="Weight of being unlike the posts before, by MMR"
    )
    freshness: float = Field(
        default=0.0, ge=0, le=1, description="Weight of being new, against the score"
    )
    fresh_days: float = Field(
        default=7.0, gt=0, le=3650, description="The age in days at which a post is half as fresh"
    )
    most_of_creator: int | None = Field(
        default=None, ge=1, description="Most posts of one account in a list"
    )
    unshown_days: float = Field(
        default=0.0, ge=0, le=365, description="Leave out what the user was shown in so many days"
    )
    explored_places: tuple[Annotated[int, Field(ge=1, le=20)], ...] = Field(
        default=(), description="Places of a list, from 1, at which new posts are tried"
    )

    @field_validator("explored_places")
    @classmethod
    def _each_once(cls, places: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(places)) != len(places):
            raise ValueError("a place is named twice")
        return tuple(sorted(places))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """The rules of this installation. Raises RecommendError for a text that is none."""
        return cls.of(environment.get(VARIABLE) or "{}", VARIABLE)

    @classmethod
    def of(cls, text: str, place: str) -> Self:
        """From JSON; `place` says where it stands."""
        try:
            return cls.model_validate_json(text or "{}")
        except ValidationError as error:
            found = "; ".join(
                f"{'.'.join(str(part) for part in each['loc']) or 'the text'}: {each['msg']}"
                for each in error.errors()
            )
            example = '{"diversity": 0.2, "most_of_creator": 3}'
            raise RecommendError(
                f"{place} is not a JSON object of rules ({found}): give one such as {example}"
            ) from error

    def text(self) -> str:
        """The rules that differ from the default, as JSON; empty if none does."""
        return "" if self == ServedRules() else self.model_dump_json(exclude_defaults=True)

    def of_lists(self) -> Self:
        """Those by which lists are made; new posts are put into them when they are served."""
        return self.model_copy(update={"explored_places": ()})

    def weights(self) -> Weights:
        """As `recsys` takes them."""
        from recsys.scoring.lists.choosing import Weights

        return Weights(self.diversity, self.freshness, self.fresh_days, self.most_of_creator)


def tries_new_posts(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether places are declared at which new posts are tried; also for rules that cannot be read,
    so that the run that needs them says what is wrong.
    """
    try:
        return bool(ServedRules.from_environment(environment).explored_places)
    except RecommendError:
        return True


def current_lists(
    client: Client,
    present: PresentUsers,
    rules: ServedRules,
    now: datetime,
    users: list[str] | None = None,
) -> CurrentLists:
    """The lists of present users by the rules. `users` names them, if they are few."""
    from recsys.scoring.lists.current_lists import CurrentLists

    weights = rules.weights()
    traits = None if weights.changes_nothing else read_traits(client, now)
    shown = read_shown(client, rules, now, users or []) if rules.unshown_days else None
    return CurrentLists.of(present, weights, traits, shown, f"{now:%Y-%m-%d}")


def read_traits(client: Client, now: datetime) -> pa.Table:
    """The creator of each post and its age in days: item_id, creator, age_days."""
    found: pa.Table = client.query_arrow(_TRAITS, parameters={"now": now}, use_strings=True)
    return found


def read_shown(client: Client, rules: ServedRules, now: datetime, users: list[str]) -> pa.Table:
    """What users were shown in the days of the rules: user_id and item_id."""
    import pyarrow as pa

    if not client.command("EXISTS TABLE cleaned.recommendation_exposures"):
        return pa.schema({"user_id": pa.string(), "item_id": pa.string()}).empty_table()
    since = now.astimezone(UTC) - timedelta(days=rules.unshown_days)
    found: pa.Table = client.query_arrow(
        _SHOWN,
        parameters={
            "from_day": since.date(),
            "since": since,
            "users": users,
            "most": _MOST_SHOWN,
        },
        use_strings=True,
    )
    return found.select(["user_id", "item_id"])
