"""Errors of requests as problems: which status, and what to do.

Belongs here: the handlers of the application. Problems of one path are raised there.
"""

from __future__ import annotations

import logging
import re

from clickhouse_connect.driver.exceptions import ClickHouseError
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from resources.settings.variables import hidden
from social_assets.metrics.ask import TablesMissingError
from social_assets.serving.asking.warehouse import WarehouseBusyError, WarehouseDownError
from social_assets.serving.gate import REQUEST_ID
from social_assets.serving.problems import ProblemError, problem_response

_RETRY_SECONDS = 5
_NO_TABLES = {60, 81}
_TOO_MUCH = {158, 159, 160, 241, 307, 396}
"""ClickHouse's codes of limits: rows, time, memory, result."""

_log = logging.getLogger(__name__)


def add_error_handlers(app: FastAPI) -> None:
    """Answer every error of a path as a problem."""
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(HTTPException, _http_problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(WarehouseDownError, _unavailable)
    app.add_exception_handler(WarehouseBusyError, _unavailable)
    app.add_exception_handler(ClickHouseError, _refused_query)
    app.add_exception_handler(TablesMissingError, _no_tables)


async def _problem(request: Request, error: Exception) -> Response:
    if not isinstance(error, ProblemError):
        raise error
    return problem_response(error, _id_of(request))


async def _http_problem(request: Request, error: Exception) -> Response:
    """No such path, or no such method."""
    if not isinstance(error, HTTPException):
        raise error
    detail = f"{request.method} {request.url.path}: {error.detail}"
    problem = ProblemError(
        error.status_code, detail, "The paths and their methods are listed at /docs."
    )
    return problem_response(problem, _id_of(request), error.headers)


async def _invalid(request: Request, error: Exception) -> Response:
    """A parameter that is missing or has a wrong form."""
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"][1:]) or "body"
    problem = ProblemError(
        400, f"{name}: {first['msg']}", f"Correct {name}; /docs shows its form.", parameter=name
    )
    return problem_response(problem, _id_of(request))


async def _unavailable(request: Request, error: Exception) -> Response:
    """The warehouse is away, or has more questions than it can answer in time."""
    is_busy = isinstance(error, WarehouseBusyError)
    level = logging.INFO if is_busy else logging.ERROR
    detail = "more questions wait for the warehouse than it can answer in time"
    remedy = f"Try again in {_RETRY_SECONDS} seconds."
    if not is_busy:
        detail = "the warehouse does not answer"
        remedy += " `social-assets doctor` says what is wrong."
    _log.log(level, "%s: %s", detail, error, extra={REQUEST_ID: _id_of(request)})
    problem = ProblemError(503, detail, remedy, retry_after=_RETRY_SECONDS)
    return problem_response(problem, _id_of(request))


async def _refused_query(request: Request, error: Exception) -> Response:
    """ClickHouse refuses a query, or ends it at a limit."""
    _log.error("a query failed: %s", hidden(str(error)), extra={REQUEST_ID: _id_of(request)})
    found = re.search(r"[Cc]ode: (\d+)", str(error))
    code = int(found[1]) if found else 0
    if code in _NO_TABLES:
        return await _no_tables(request, error)
    if code in _TOO_MUCH:
        problem = ProblemError(
            503,
            "the answer takes more time or memory than a question may",
            "Ask a shorter range, a coarser grain, or fewer groups.",
            retry_after=_RETRY_SECONDS,
        )
    else:
        problem = ProblemError(
            500,
            "the warehouse could not answer the question",
            "Tell the operator the request id: it is in the log, with the reason.",
        )
    return problem_response(problem, _id_of(request))


async def _no_tables(request: Request, error: Exception) -> Response:
    """A new installation, or one of an older release."""
    _log.error("%s", hidden(str(error)), extra={REQUEST_ID: _id_of(request)})
    problem = ProblemError(
        503,
        "the warehouse has no tables for the question yet",
        "Make them with `social-assets deploy`; `social-assets load` loads data.",
        retry_after=60,
    )
    return problem_response(problem, _id_of(request))


def _id_of(request: Request) -> str:
    return str(request.scope["state"][REQUEST_ID])
