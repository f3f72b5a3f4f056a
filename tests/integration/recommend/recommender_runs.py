"""A star schema with hidden tastes, the graph around the recommenders, and results of runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
from clickhouse_connect.driver.client import Client

import recsys
from resources.clickhouse.resource import ClickHouseResource
from resources.spark.resource import spark_resource
from social_assets.defs.partitions import daily
from social_assets.defs.recommenders.assets import assets, checks

FIRST_DAY = date(2026, 11, 1)
USERS, POSTS, TASTES, ACCOUNTS = 400, 160, 8, 20

# The columns that dbt gives the fact; test_interactions_of_the_star_schema reads dbt's own table.
FACT = """
CREATE TABLE star.fact_engagement (
  event_date Date, event_time DateTime64(6, 'UTC'), event_id String,
  account_key FixedString(16), post_key FixedString(16), user_key FixedString(16),
  platform_key FixedString(16), time_key FixedString(16), date_key FixedString(16),
  metric_type LowCardinality(String), value Float64
) ENGINE = MergeTree PARTITION BY event_date ORDER BY (account_key, post_key, event_time)
"""

# Each user has one taste and follows it in seven reactions of ten, or in none: `followed` of 10.
EVENTS = f"""
INSERT INTO star.fact_engagement
SELECT
  {{day:Date}}, toDateTime64({{day:Date}}, 6, 'UTC') + number % 86400, toString(id),
  MD5('account'), MD5(concat('p', toString(post))), MD5(toString(user)),
  MD5('platform'), MD5('time'), MD5('date'),
  ['view', 'like', 'share'][1 + sipHash64(id, 'metric') % 3], 1
FROM (
  SELECT number, concat(toString({{day:Date}}), toString(number)) AS id,
    sipHash64(id, 'user') % {USERS} AS user,
    if(sipHash64(id, 'stray') % 10 < {{followed:UInt8}},
       user % {TASTES} + {TASTES} * (sipHash64(id, 'own') % {POSTS // TASTES}),
       sipHash64(id, 'any') % {POSTS}) AS post
  FROM numbers({{events:UInt32}})
)
"""


@dataclass
class Warehouse:
    """A star schema, to which tests add reactions."""

    client: Client
    days: list[date] = field(default_factory=list)

    def create(self) -> None:
        for database in ("star", "recsys"):
            self.client.command(f"DROP DATABASE IF EXISTS {database} SYNC")
        self.client.command("CREATE DATABASE star")
        self.client.command(FACT)
        self.client.command(
            "CREATE TABLE star.dim_user ENGINE = MergeTree ORDER BY user_key AS\n"
            "SELECT MD5(toString(number)) AS user_key, toString(number) AS user_id,\n"
            "  if(number % 2 = 0, '18-24', '25-34') AS age_group\n"
            f"FROM numbers({USERS})"
        )
        self.client.command(
            "CREATE TABLE star.dim_post ENGINE = MergeTree ORDER BY post_key AS\n"
            "SELECT MD5(post_id) AS post_key, concat('p', toString(number)) AS post_id,\n"
            f"  concat('about ', toString(number % {TASTES})) AS content, ['tag'] AS tags,\n"
            "  now64(6, 'UTC') AS last_seen_at, last_seen_at AS first_seen_at,\n"
            f"  toString(number % {ACCOUNTS}) AS account_id, 'X' AS platform,\n"
            "  toDateTime64('2026-11-01 00:00:00', 6, 'UTC') - toIntervalDay(number)\n"
            "    AS published_at\n"
            f"FROM numbers({POSTS})"
        )

    def engage(self, days: int = 14, events: int = 1500, followed: int = 7) -> None:
        """Add reactions on further days."""
        for _ in range(days):
            day = FIRST_DAY + timedelta(days=len(self.days))
            self.days.append(day)
            self.client.command(
                EVENTS, parameters={"day": day, "events": events, "followed": followed}
            )

    def watch(self, videos: int = 40) -> None:
        """Each user watches a whole video of the user's taste every day."""
        self.client.command(
            "CREATE TABLE star.dim_video ENGINE = MergeTree ORDER BY video_key AS\n"
            "SELECT MD5(toString(number)) AS video_key, toString(number) AS video_id\n"
            f"FROM numbers({videos})"
        )
        self.client.command(
            "CREATE TABLE star.fact_video_interactions ENGINE = MergeTree ORDER BY event_date AS\n"
            "SELECT day AS event_date, toDateTime64(day, 6, 'UTC') AS event_time,\n"
            "  MD5(toString(number)) AS user_key, 9. AS time_spent_on_video, 9. AS video_length,\n"
            f"  MD5(toString(number % {TASTES}\n"
            f"    + {TASTES} * (sipHash64(number, day) % {videos // TASTES}))) AS video_key\n"
            f"FROM numbers({USERS}) ARRAY JOIN {{days:Array(Date)}} AS day",
            parameters={"days": self.days},
        )

    def react(self, user: str, post: str) -> None:
        """Add a like on the last day."""
        self.client.command(
            "INSERT INTO star.fact_engagement\n"
            "SELECT {day:Date}, toDateTime64({day:Date}, 6, 'UTC'), generateUUIDv4(),\n"
            "  MD5('account'), MD5({post:String}), MD5({user:String}), MD5('platform'),\n"
            "  MD5('time'), MD5('date'), 'like', 1",
            parameters={"day": self.days[-1], "user": user, "post": post},
        )

    def arrive(self, user: str) -> None:
        """Add a new user."""
        self.client.command(
            "INSERT INTO star.dim_user (user_key, user_id)\n"
            "SELECT MD5({user:String}), {user:String}",
            parameters={"user": user},
        )

    def publish(self, post: str, content: str) -> None:
        """Add a post without reactions."""
        self.client.command(
            "INSERT INTO star.dim_post (post_key, post_id, content, tags, last_seen_at)\n"
            "SELECT MD5({post:String}), {post:String}, {content:String}, ['tag'], now64(6, 'UTC')",
            parameters={"post": post, "content": content},
        )

    def erase(self, user: str) -> None:
        """Delete all reactions of a user."""
        self.client.command(
            "ALTER TABLE star.fact_engagement DELETE WHERE user_key = MD5({user:String})\n"
            "SETTINGS mutations_sync = 2",
            parameters={"user": user},
        )

    def forget(self) -> None:
        self.client.command("TRUNCATE TABLE star.fact_engagement")
        self.days.clear()

    def served(self) -> list[tuple[Any, ...]]:
        query = "SELECT user_id, rank, item_id, model_version FROM recsys.top_n ORDER BY 1, 2"
        return [tuple(row) for row in self.client.query(query).result_rows]


Recommend = Callable[..., dg.ExecuteInProcessResult]


def definitions(*jobs: Any) -> dg.Definitions:
    return dg.Definitions(
        assets=[*upstream(), *assets],
        asset_checks=checks,
        jobs=jobs,
        resources={"clickhouse": ClickHouseResource(), "pyspark": spark_resource()},
    )


def upstream() -> list[dg.AssetSpec]:
    names = ("fact_engagement", "dim_user", "dim_post")
    return [dg.AssetSpec(["star", name], partitions_def=daily()) for name in names]


def metadata(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, Any]:
    [event] = [
        event.step_materialization_data.materialization
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(["recsys", asset])
    ]
    return {name: value.value for name, value in event.metadata.items()}


def results(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {e.check_name: e.passed for e in result.get_asset_check_evaluations()}


def failure(result: dg.ExecuteInProcessResult) -> str:
    [error] = [
        event.step_failure_data.user_failure_data or event.step_failure_data.error
        for event in result.filter_events(lambda event: event.is_step_failure)
    ]
    return str(getattr(error, "description", error))


def champion_version(artifacts: Path) -> str:
    return str(recsys.load(artifacts / "champion").manifest["version"])
