"""Collected profiles and audiences that a caller may see.

Belongs here: the SQL over the collected streams. Texts of people are parameters of the query.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from social_assets.serving.api.request.scope import visible
from social_assets.serving.callers import Caller

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_ATTRIBUTES = (
    *("handle", "display_name", "biography", "category", "country", "website", "is_verified"),
    *("followers", "following", "posts"),
)
_NEWEST_PROFILES = """SELECT
    toString(platform) AS of_platform,
    account_id,
    max(profiles.collected_at) AS newest_at,
    {attributes}
FROM cleaned.profiles AS profiles
WHERE {conditions}
GROUP BY of_platform, account_id
ORDER BY of_platform, account_id
LIMIT {count}"""
_ALL_PROFILES = """SELECT
    toString(platform) AS of_platform,
    account_id,
    collected_at,
    {attributes},
    toString(collected_at) AS sorted_at
FROM cleaned.profiles
WHERE {conditions}
ORDER BY sorted_at DESC, of_platform
LIMIT {count}"""

# The segments of a breakdown in its newest collection; their parts of the sum over all segments.
_AUDIENCE = """WITH newest AS (
    SELECT
        platform,
        account_id,
        metric,
        dimension,
        second_dimension,
        max((collected_at, ends_at)) AS of_newest
    FROM cleaned.audience
    WHERE {conditions} AND dimension != ''
    GROUP BY platform, account_id, metric, dimension, second_dimension
)

SELECT
    toString(platform) AS of_platform,
    account_id,
    collected_at,
    toString(metric) AS of_metric,
    concat(toString(dimension), if(second_dimension = '', '', ','), toString(second_dimension))
        AS of_dimension,
    concat(segment, if(second_segment = '', '', ','), second_segment) AS of_segment,
    value,
    value / nullIf(sum(value) OVER (
        PARTITION BY platform, account_id, metric, dimension, second_dimension
    ), 0) AS share
FROM cleaned.audience
WHERE {conditions}
  AND (platform, account_id, metric, dimension, second_dimension, (collected_at, ends_at))
      IN (SELECT * FROM newest)
"""


@dataclass(frozen=True)
class CollectedOf:
    """Whose profiles or audiences are wanted; an empty text stands for all."""

    caller: Caller
    platform: str = ""
    account: str = ""

    def where(self) -> tuple[str, dict[str, Any]]:
        """The condition, and its parameters."""
        scope = visible(self.caller, "platform", "account_id")
        named = {"platform": self.platform, "account_id": self.account}
        texts = {name: value for name, value in named.items() if value}
        conditions = [
            scope.sql,
            *(f"toString({name}) = {{wanted_{name}:String}}" for name in texts),
        ]
        parameters = {f"wanted_{name}": value for name, value in texts.items()}
        return " AND ".join(conditions), {**parameters, **scope.parameters}


def newest_profiles(
    client: Client, of: CollectedOf, after: Sequence[str | int], count: int
) -> list[Mapping[str, Any]]:
    """The newest profile of each account, by platform and account."""
    conditions, parameters = of.where()
    if after:
        conditions += " AND (toString(platform), account_id) > ({after_0:String}, {after_1:String})"
        parameters |= {f"after_{n}": str(value) for n, value in enumerate(after)}
    # A tuple, since `argMax` skips values that are NULL.
    newest = (
        f"argMax(tuple(profiles.{name}), profiles.collected_at).1 AS newest_{name}"
        for name in _ATTRIBUTES
    )
    text = _NEWEST_PROFILES.format(
        attributes=",\n    ".join(newest), conditions=conditions, count=count
    )
    return _named(client, text, parameters)


def all_profiles(
    client: Client, of: CollectedOf, after: Sequence[str | int], count: int
) -> list[Mapping[str, Any]]:
    """All collected profiles, newest first; `sorted_at` is the place of a row."""
    conditions, parameters = of.where()
    if after:
        conditions += (
            " AND (toString(collected_at) < {after_0:String} OR (toString(collected_at) ="
            " {after_0:String} AND toString(platform) > {after_1:String}))"
        )
        parameters |= {f"after_{n}": str(value) for n, value in enumerate(after)}
    text = _ALL_PROFILES.format(
        attributes=",\n    ".join(_ATTRIBUTES), conditions=conditions, count=count
    )
    return _named(client, text, parameters)


def newest_audience(
    client: Client, of: CollectedOf, after: Sequence[str | int], count: int
) -> list[Mapping[str, Any]]:
    """The segments of each account's newest audience."""
    conditions, parameters = of.where()
    order = "of_platform, account_id, of_metric, of_dimension, of_segment"
    later = ""
    if after:
        texts = ", ".join(f"{{after_{n}:String}}" for n in range(len(after)))
        later = f"WHERE ({order}) > ({texts})\n"
        parameters |= {f"after_{n}": str(value) for n, value in enumerate(after)}
    segments = _AUDIENCE.format(conditions=conditions)
    text = f"SELECT * FROM (\n{segments})\n{later}ORDER BY {order}\nLIMIT {count}"
    return _named(client, text, parameters)


def _named(client: Client, text: str, parameters: dict[str, Any]) -> list[Mapping[str, Any]]:
    result = client.query(text, parameters=parameters)
    names = [name.removeprefix("newest_").removeprefix("of_") for name in result.column_names]
    names = ["collected_at" if name == "at" else name for name in names]
    return [dict(zip(names, row, strict=True)) for row in result.result_rows]
