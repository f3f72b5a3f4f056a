"""Accounts, and their comparison side by side.

Belongs here: the paths and their documents. Profiles and audiences belong to `profiles`.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from social_assets.control.accounts import Account as ControlAccount
from social_assets.control.accounts import AccountNameError
from social_assets.metrics.formula import Additivity
from social_assets.metrics.planner.read_question import Texts
from social_assets.metrics.registry import UnknownMetricError, metric
from social_assets.serving.api.prefix import PREFIX
from social_assets.serving.api.query import answer_to
from social_assets.serving.api.request.cursor import Cursors
from social_assets.serving.api.request.parameters import check_parameters, listed
from social_assets.serving.api.request.scope import visible
from social_assets.serving.api.times import UtcTime
from social_assets.serving.callers import Caller
from social_assets.serving.problems import ProblemError
from social_assets.serving.requested import Requested, requested

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

router = APIRouter(prefix=PREFIX, tags=["accounts"])

MOST_COMPARED = 100


class AccountDocument(BaseModel):
    """An account that publishes, seen in posts, in reactions to them or in collected profiles."""

    account_id: str = Field(examples=["1024"])
    platform: str = Field(examples=["Instagram"], description="Where it was last active")
    first_seen_at: UtcTime
    last_seen_at: UtcTime


class Accounts(BaseModel):
    """One page of accounts, by id."""

    accounts: list[AccountDocument]
    next: str | None


class ComparedAccount(BaseModel):
    """One account of a comparison."""

    account: str = Field(examples=["Instagram:1024"])
    value: float | int | None
    rank: int | None = Field(description="1 has the greatest value")
    share: float | None = Field(description="Of the set's sum; null if values are not summed")
    index: float | None = Field(description="100 is the median of the set")


class Benchmark(BaseModel):
    """Accounts side by side."""

    metric: str
    unit: str
    median: float | None
    accounts: list[ComparedAccount]
    tables: list[str]


@router.get("/accounts")
async def accounts(
    request: Request,
    asked: Annotated[Requested, Depends(requested)],
    platform: Annotated[str, Query(max_length=100)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[str, Query(max_length=500)] = "",
) -> Accounts:
    """The accounts that the key may see, by id."""
    check_parameters(request)
    cursors = Cursors.of(request, asked)
    after = str(cursors.read(cursor)[0]) if cursor else ""
    rows = await asked.services.warehouse.run(
        lambda client: _accounts(client, asked.known_caller, platform, after, limit + 1), asked.id
    )
    page = rows[:limit]
    return Accounts(
        accounts=page,
        next=cursors.write([page[-1].account_id]) if len(rows) > limit else None,
    )


@router.get("/benchmark")
async def benchmark(  # noqa: PLR0917 - FastAPI calls it by name
    request: Request,
    asked: Annotated[Requested, Depends(requested)],
    compared: Annotated[
        list[str],
        Query(
            alias="accounts",
            description="PLATFORM:ID, repeated or separated by commas",
            examples=["instagram:1,tiktok:2"],
        ),
    ],
    name: Annotated[str, Query(alias="metric", max_length=100)] = "engagement",
    start: Annotated[str, Query(alias="from", max_length=40)] = "",
    end: Annotated[str, Query(alias="to", max_length=40)] = "",
    preset: Annotated[str, Query(alias="range", max_length=40)] = "",
    zone: Annotated[str, Query(max_length=40)] = "UTC",
) -> Benchmark:
    """Any accounts side by side: rank, share, and index against the median of the set."""
    check_parameters(request)
    named = _named(listed(compared))
    texts = Texts(
        metrics=(name,),
        start=start,
        end=end,
        range=preset,
        zone=zone,
        by=("platform", "account"),
        limit=10_000,
    )
    where = {
        "platform": tuple(sorted({each.platform for each in named})),
        "account": tuple(sorted({each.account_id for each in named})),
    }
    answer = await answer_to(asked, texts, where, {"metrics": "metric", "by": "metric"})
    values = {row.group: row.values[0] for row in answer.rows}
    try:
        declared = metric(name)
    except UnknownMetricError as error:  # `answer_to` has refused it
        raise ProblemError(400, str(error), "Name another.", parameter="metric") from error
    known = [(each, values.get((each.platform, each.account_id))) for each in named]
    return Benchmark(
        metric=name,
        unit=declared.unit,
        tables=list(answer.tables),
        **_compared(known, adds_up=declared.additivity is Additivity.ADDITIVE),
    )


def _compared(
    known: list[tuple[ControlAccount, float | int | None]], *, adds_up: bool
) -> dict[str, Any]:
    present = sorted((value for _, value in known if value is not None), reverse=True)
    middle = median(present) if present else None
    total = sum(present)
    rows = [
        ComparedAccount(
            account=str(each),
            value=value,
            rank=None if value is None else present.index(value) + 1,
            share=None if value is None or not adds_up or not total else value / total,
            index=None if value is None or not middle else 100 * value / middle,
        )
        for each, value in known
    ]
    rows.sort(key=lambda row: (row.rank is None, row.rank or 0, row.account))
    return {"median": middle, "accounts": rows}


def _named(texts: tuple[str, ...]) -> list[ControlAccount]:
    if not 1 <= len(texts) <= MOST_COMPARED:
        raise ProblemError(
            400,
            f"{len(texts):,} accounts are named",
            f"Name 1 to {MOST_COMPARED} accounts; for more, ask {PREFIX}/query by account.",
            parameter="accounts",
        )
    try:
        return list(dict.fromkeys(ControlAccount.parse(text) for text in texts))
    except AccountNameError as error:
        raise ProblemError(
            400, str(error), "Write PLATFORM:ID, such as instagram:1024.", parameter="accounts"
        ) from error


def _accounts(
    client: Client, caller: Caller, platform: str, after: str, count: int
) -> list[AccountDocument]:
    scope = visible(caller, "platform", "account_id")
    result = client.query(
        "SELECT toString(account_id) AS id, platform, first_seen_at, last_seen_at\n"
        "FROM star.dim_account\n"
        f"WHERE {scope.sql} AND id > {{after:String}}\n"
        "  AND ({platform:String} = '' OR platform = {platform:String})\n"
        f"ORDER BY id\nLIMIT {count}",
        parameters={"after": after, "platform": platform, **scope.parameters},
    )
    return [
        AccountDocument(
            account_id=row[0], platform=row[1], first_seen_at=row[2], last_seen_at=row[3]
        )
        for row in result.result_rows
    ]
