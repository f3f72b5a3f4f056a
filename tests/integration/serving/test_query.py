"""Questions over HTTP: answers, and refusals that name the parameter and the remedy."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import timedelta
from typing import Any

import pytest

from social_assets.serving.dashboards.router import DATA
from social_assets.warehouse.compared_days import (
    COMPARED_DAYS,
    LAKE_EQUALS_WAREHOUSE,
    RAW_IS_ACCOUNTED_FOR,
    ROWS_EQUAL_SOURCE,
    ComparedDay,
    partition_states,
    record_compared,
)
from tests.integration.serving.conftest import NOON, TODAY, Api, running
from tests.integration.warehouse.conftest import WarehouseUnderTest

FACT = "star.fact_engagement"

WEEK = f"from={(TODAY - timedelta(days=7)).date()}&to={TODAY.date()}"


def test_a_question_is_answered_from_a_rollup_with_rows_by_name(serving: Api) -> None:
    answer = serving.client().get(f"/api/v1/query?metrics=likes,views&by=account&grain=day&{WEEK}")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["columns"] == ["day", "account", "likes", "views"]
    day = str(NOON.date())
    assert found["rows"][0] == {"day": day, "account": "1", "likes": 30.0, "views": 60.0}
    assert [row["account"] for row in found["rows"]] == ["1", "2", "3"]
    assert all(table.startswith("rollups.") for table in found["tables"])
    assert 0 < found["rows_read"] < 100


def test_an_answer_names_the_days_on_which_rows_are_lost(loaded: WarehouseUnderTest) -> None:
    day, client = NOON.date(), loaded.client
    found = [
        ComparedDay("cleaned.engagement_events", name, day, True, ("cleaned.engagement_events",))
        for name in (RAW_IS_ACCOUNTED_FOR, LAKE_EQUALS_WAREHOUSE)
    ]
    found.append(ComparedDay(FACT, ROWS_EQUAL_SOURCE, day, False, (FACT,)))
    record_compared(client, found, partition_states(client, [FACT, "cleaned.engagement_events"]))
    ends = time.monotonic() + 60
    try:
        with running(loaded.home, cache_seconds=0) as api:
            said: dict[str, Any] = {}
            # The process may have read the results some seconds ago.
            while said.get("state") != "broken":
                assert time.monotonic() < ends, said
                time.sleep(0.2)
                said = api.client().get(f"/api/v1/query?metrics=likes&{WEEK}").json()["invariants"]
        assert said["broken_days"] == [str(day)] and said["checked_at"] is None
        with running(loaded.home) as api:
            tile = api.client().get(f"{DATA}/tiles/engagement_by_platform/totals")
            assert tile.json()["about"]["invariants"]["state"] == "broken"
    finally:
        client.command(f"DROP TABLE {COMPARED_DAYS} SYNC")


def test_the_answer_as_csv_has_the_same_columns(serving: Api) -> None:
    answer = serving.client().get(f"/api/v1/query?metrics=likes&by=platform&{WEEK}&format=csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.text == "platform,likes\r\nInstagram,35.0\r\nTikTok,2.0\r\n"


@pytest.mark.parametrize(
    ("query", "parameter", "told"),
    [
        ("metrics=lkes", "metrics", "likes"),
        ("", "metrics", "required"),
        ("metrics=", "metrics", "names no metric"),
        ("metrics=likes&grain=minute", "grain", "hour"),
        ("metrics=likes&from=2026-02-01&to=2026-01-01", "from", "not before"),
        ("metrics=likes&from=2026-01-01T00:00&to=2026-01-01T00:00", "from", "not before"),
        ("metrics=likes&from=2099-01-01&to=2099-02-01", "from", "future"),
        ("metrics=likes&from=1971-01-01&to=2025-01-01", "from", "30 years"),
        ("metrics=likes&from=1925-01-01&to=2025-01-01", "from", "1970"),
        ("metrics=likes&from=2000-01-01&to=2026-01-01&grain=hour", "grain", "coarser"),
        ("metrics=likes&from=yesterday-ish", "from", "no date"),
        ("metrics=likes&range=last_0_days", "range", "last_7_days"),
        ("metrics=likes&zone=Mars/Olympus", "zone", "Europe/Berlin"),
        ("metrics=likes&by=shoe_size", "by", "known by platform"),
        ("metrics=likes&where.shoe_size=44", "where.shoe_size", "no parameter"),
        ("metrics=likes&wher.platform=X", "wher.platform", "no parameter"),
        ("metrics=likes&compare=never", "compare", "previous"),
        ("metrics=likes&order_by=views", "order_by", "not among"),
        ("metrics=likes&limit=0", "limit", "greater than or equal to 1"),
        ("metrics=likes&limit=many", "limit", "integer"),
        ("metrics=likes&limit=1&limit=2", "limit", "2 times"),
        ("metrics=reported_reach", "metrics", "not summed"),
    ],
)
def test_a_question_without_an_answer_names_the_parameter_and_the_remedy(
    serving: Api, query: str, parameter: str, told: str
) -> None:
    answer = serving.client().get(f"/api/v1/query?{query}")
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["parameter"] == parameter
    assert told in problem["detail"], problem["detail"]
    assert problem["remedy"] and problem["status"] == 400
    assert problem["request_id"] == answer.headers["x-request-id"]


def test_ten_thousand_accounts_in_one_question_are_refused_with_the_limit(serving: Api) -> None:
    many = "&".join(f"where.account={n}" for n in range(10_000))
    status, body = asyncio.run(_asked(serving, f"metrics=likes&{many}"))
    assert status == 400
    assert "1,000" in json.loads(body)["detail"]


async def _asked(serving: Api, query: str) -> tuple[int, bytes]:
    """Ask with a query that is longer than httpx takes."""
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    headers = [(b"host", b"127.0.0.1"), (b"authorization", f"Bearer {serving.token}".encode())]
    path = "/api/v1/query"
    scope = {"type": "http", "method": "GET", "path": path, "headers": headers}
    await serving.app({**scope, "query_string": query.encode()}, receive, send)
    return sent[0]["status"], b"".join(each.get("body", b"") for each in sent)


_INJECTIONS = ("'; DROP TABLE star.fact_engagement --", "1) OR (1=1", "\\'", "{x:String}", "%s")
_PARAMETERS = (
    *("metrics", "by", "from", "to", "range", "grain", "zone", "compare", "order_by", "limit"),
    *("others", "format", "where.account", "where.platform", "where.metric_type"),
    *("where.post", "where.weekday", "where.hour_of_day"),
)


@pytest.mark.parametrize("parameter", _PARAMETERS)
def test_sql_in_a_parameter_is_a_value_or_refused(serving: Api, parameter: str) -> None:
    client = serving.client()
    for text in _INJECTIONS:
        asked = {"metrics": "likes", parameter: text}
        answer = client.get("/api/v1/query", params=asked)
        assert answer.status_code in (200, 400), answer.text
        if answer.status_code == 200:
            assert answer.json()["rows"] == []
        else:
            assert parameter.startswith(answer.json()["parameter"])
    whole = client.get("/api/v1/query?metrics=likes").json()
    assert whole["rows"] == [{"likes": 37.0}]


def test_metrics_are_listed_with_unit_formula_and_dimensions(serving: Api) -> None:
    found = serving.client().get("/api/v1/metrics").json()
    rate = next(each for each in found["metrics"] if each["name"] == "engagement_rate")
    assert rate["unit"] == "ratio" and rate["additivity"] == "ratio"
    assert "metric_type is like" in rate["formula"] and "account" in rate["dimensions"]
