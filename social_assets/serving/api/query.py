"""The general question: any metrics, filters, range and grain, and its answer.

Belongs here: reading it from a URL, and the document of an answer. What a question means belongs to
`metrics`; other paths use `answer_to` for questions of their own.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from social_assets.metrics.answer import Answer
from social_assets.metrics.answer_invariants import InvariantState
from social_assets.metrics.flat_rows import Cell, column_names, flat_rows
from social_assets.metrics.grain import ANSWERED
from social_assets.metrics.metric import Metric
from social_assets.metrics.planner.question import (
    MOST_GROUPS,
    ComparedRange,
    Question,
    QuestionError,
)
from social_assets.metrics.planner.read_question import Texts, read_question
from social_assets.metrics.registry import metric
from social_assets.serving.api.prefix import PREFIX
from social_assets.serving.api.request.parameters import (
    check_parameters,
    filter_parameters,
    filters_of,
    listed,
)
from social_assets.serving.api.request.scope import scoped
from social_assets.serving.problems import ProblemError
from social_assets.serving.requested import Requested, requested

router = APIRouter(prefix=PREFIX, tags=["metrics"])

_GRAINS = [grain.word for grain in ANSWERED]
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class AnsweredMetric(BaseModel):
    """What a number in the answer is."""

    name: str = Field(examples=["likes"])
    title: str
    unit: str
    formula: str
    additivity: str
    rises_is_good: bool | None


class AnsweredInvariants(BaseModel):
    """Whether nothing was lost or doubled on the days asked, from raw records to rollups."""

    state: InvariantState = Field(
        description=(
            "`broken` if a day failed when it was compared last; `hold` if each day with rows was "
            "compared, and has not changed since; else `not_checked`"
        )
    )
    broken_days: list[date]
    unchecked_days: list[date] = Field(description="Never compared, or changed since")
    checked_at: datetime | None = Field(
        description="When the days that hold were compared, or later"
    )


class QueryAnswer(BaseModel):
    """The answer to a question: rows by column name, and where they come from."""

    metrics: list[AnsweredMetric]
    columns: list[str] = Field(examples=[["day", "platform", "likes"]])
    rows: list[dict[str, str | int | float | None]] = Field(
        description="Null where a value does not exist, such as a ratio by zero",
        examples=[[{"day": "2026-11-01", "platform": "YouTube", "likes": 120}]],
    )
    start: datetime = Field(alias="from", description="Begin of the range, which is in it")
    end: datetime = Field(alias="to", description="End of the range, which is not in it")
    zone: str = Field(examples=["Europe/Berlin"])
    grain: str = Field(examples=["day"])
    compare: str | None
    tables: list[str] = Field(examples=[["rollups.engagement_platform_daily"]])
    rows_read: int = Field(examples=[1200])
    newest_event: datetime | None = Field(description="The newest event of the rows' streams")
    watermark: datetime | None = Field(description="Until when events count as complete")
    notes: list[str] = Field(description="What a reader of the numbers must know")
    invariants: AnsweredInvariants


def texts_of_query(  # noqa: PLR0917 - FastAPI calls it by name
    metrics: Annotated[
        list[str],
        Query(description="Names, separated by commas", examples=["likes,engagement_rate"]),
    ],
    by: Annotated[list[str], Query(description="Dimensions that divide, by commas")] = [],  # noqa: B006
    start: Annotated[
        str, Query(alias="from", description="Date or time, such as 2026-11-01", max_length=40)
    ] = "",
    end: Annotated[
        str, Query(alias="to", description="Date, which is included, or time", max_length=40)
    ] = "",
    preset: Annotated[
        str,
        Query(alias="range", description="In place of from and to: last_7_days", max_length=40),
    ] = "",
    grain: Annotated[
        str, Query(description="Of the buckets of time", json_schema_extra={"enum": _GRAINS})
    ] = "total",
    zone: Annotated[str, Query(description="Time zone in which days begin", max_length=40)] = "UTC",
    compare: Annotated[
        str,
        Query(json_schema_extra={"enum": ["", *(each.value for each in ComparedRange)]}),
    ] = "",
    order_by: Annotated[
        str, Query(description="A metric that is asked; with - before it, smallest first")
    ] = "",
    limit: Annotated[
        int, Query(description="Greatest number of groups", ge=1, le=MOST_GROUPS)
    ] = 1_000,
    others: Annotated[
        bool, Query(description="Whether groups beyond the limit are answered as `others`")
    ] = False,
) -> Texts:
    """The texts of a question, without its filters."""
    return Texts(
        metrics=listed(metrics),
        start=start,
        end=end,
        range=preset,
        grain=grain,
        by=listed(by),
        zone=zone,
        compare=compare,
        order_by=order_by,
        limit=limit,
        with_others=others,
    )


@router.get(
    "/query",
    openapi_extra={"parameters": filter_parameters()},
    responses={200: {"content": {"text/csv": {}}}},
    response_model=QueryAnswer,
)
async def query(
    request: Request,
    asked: Annotated[Requested, Depends(requested)],
    texts: Annotated[Texts, Depends(texts_of_query)],
    form: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
) -> QueryAnswer | Response:
    """Metrics of a range, divided and filtered; from the coarsest tables that answer exactly."""
    check_parameters(request)
    answer = await answer_to(asked, texts, filters_of(request))
    if form == "csv":
        return Response(
            csv_text(column_names(answer), flat_rows(answer)),
            media_type="text/csv; charset=utf-8",
        )
    return document_of(answer)


async def answer_to(
    asked: Requested,
    texts: Texts,
    where: dict[str, tuple[str, ...]],
    spelt: Mapping[str, str] = MappingProxyType({}),
) -> Answer:
    """The answer for the caller. Raises ProblemError for a question that has none.

    `spelt` are the parameters that have another name in the caller's path.
    """
    try:
        question = read_question(Texts(**{**vars(texts), "where": where}), datetime.now(UTC))
        question = scoped(question, asked.known_caller)
        if question.accounts == ():
            return _of_no_account(question)
        return await asked.services.questions.ask(question, asked.id)
    except QuestionError as error:
        parameter = spelt.get(error.parameter, error.parameter)
        raise ProblemError(
            400,
            error.problem,
            f"Correct {parameter}; {PREFIX}/metrics lists what may be asked.",
            parameter=parameter,
        ) from error


def document_of(answer: Answer) -> QueryAnswer:
    """An answer as the API gives it."""
    columns, question = column_names(answer), answer.question
    return QueryAnswer.model_validate(
        {
            "metrics": [_answered(each) for each in answer.metrics],
            "columns": columns,
            "rows": [dict(zip(columns, row, strict=True)) for row in flat_rows(answer)],
            "from": question.start,
            "to": question.end,
            "zone": question.zone,
            "grain": question.grain.word,
            "compare": None if question.compare is None else question.compare.value,
            "tables": answer.tables,
            "rows_read": answer.rows_read,
            "newest_event": answer.freshness.newest_event,
            "watermark": answer.freshness.watermark,
            "notes": answer.notes,
            "invariants": invariants_of(answer),
        }
    )


def invariants_of(answer: Answer) -> AnsweredInvariants:
    """What the invariants say of an answer's days, as the API gives it."""
    found = answer.invariants
    return AnsweredInvariants(
        state=found.state,
        broken_days=list(found.broken_days),
        unchecked_days=list(found.unchecked_days),
        checked_at=found.checked_at,
    )


def csv_text(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """RFC 4180, for spreadsheets: a text that they would run as a formula is quoted by a '."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(each) for each in row])
    return out.getvalue()


def _cell(value: Cell) -> Cell:
    is_formula = isinstance(value, str) and value.startswith(_FORMULA_STARTS)
    return f"'{value}" if is_formula else value


def _answered(each: Metric) -> AnsweredMetric:
    return AnsweredMetric(
        name=each.name,
        title=each.title,
        unit=each.unit,
        formula=each.formula.in_words(),
        additivity=each.additivity.value,
        rises_is_good=each.rises_is_good,
    )


def _of_no_account(question: Question) -> Answer:
    """What a question about accounts that the caller cannot see has: nothing, and no query."""
    named = tuple(metric(name) for name in question.metrics)
    return Answer(question, named, (), (), 0, 0.0, datetime.now(UTC))
