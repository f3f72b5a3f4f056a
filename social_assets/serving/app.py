"""The application: dashboards in the browser, the API below /api/v1.

Belongs here: putting the parts together. Nothing is opened before the application starts, so that a
test or a tool can make it without a warehouse.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from social_assets.control.api_keys import ApiKeys
from social_assets.control.engine import open_engine
from social_assets.serving.api.router import api_routers
from social_assets.serving.caching.cached_answers import CachedAnswers
from social_assets.serving.caching.kept_answers import KeptAnswers
from social_assets.serving.caching.shared_answers import SharedAnswers
from social_assets.serving.callers import KeyRing
from social_assets.serving.figures import Figures
from social_assets.serving.gate import REQUEST_ID, ServingGate
from social_assets.serving.problems import ProblemError, problem_response
from social_assets.serving.services import Services
from social_assets.serving.settings import ServeSettings
from social_assets.serving.warehouse import Warehouse, WarehouseDownError

_RETRY_SECONDS = 5
_KEY_THREADS = 2
_STORE_WAIT_SECONDS = 2.0

_log = logging.getLogger(__name__)


def create_app(settings: ServeSettings) -> FastAPI:
    """The application of a home. Raises ControlStoreError if the store of keys cannot be used."""
    warehouse = Warehouse(settings.warehouse_threads)
    key_threads = ThreadPoolExecutor(_KEY_THREADS, thread_name_prefix="keys")

    kept, figures = KeptAnswers(settings.cache_bytes), Figures()
    shared = None if settings.cache_url is None else SharedAnswers(settings.cache_url)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        warehouse.close()
        if shared is not None:
            await shared.close()
        key_threads.shutdown(cancel_futures=True)

    app = FastAPI(
        title="social-assets",
        description="Metrics, posts, accounts and recommendations of this installation.",
        version="1",
        lifespan=lifespan,
        # Both load scripts from other servers.
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = Services(settings, warehouse, kept, figures)
    for router in api_routers():
        app.include_router(router)
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(HTTPException, _http_problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(WarehouseDownError, _warehouse_down)
    keys = KeyRing(_api_keys(settings), key_threads)
    # The last one that is added comes first.
    app.add_middleware(
        CachedAnswers,
        kept=kept,
        shared=shared,
        fresh_seconds=settings.cache_seconds,
        figures=figures,
    )
    app.add_middleware(
        ServingGate, token=settings.token, keys=keys, figures=figures, names=settings.names
    )
    return app


def _api_keys(settings: ServeSettings) -> ApiKeys:
    return ApiKeys(open_engine(settings.home, _STORE_WAIT_SECONDS))


async def _problem(request: Request, error: Exception) -> Response:
    if not isinstance(error, ProblemError):
        raise error
    return problem_response(error, _id_of(request))


async def _http_problem(request: Request, error: Exception) -> Response:
    """No such path, or no such method."""
    if not isinstance(error, HTTPException):
        raise error
    remedy = "The paths and their methods are listed at /docs."
    detail = f"{request.method} {request.url.path}: {error.detail}"
    return problem_response(
        ProblemError(error.status_code, detail, remedy), _id_of(request), error.headers
    )


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


async def _warehouse_down(request: Request, error: Exception) -> Response:
    _log.error("the warehouse does not answer: %s", error, extra={REQUEST_ID: _id_of(request)})
    problem = ProblemError(
        503,
        "the warehouse does not answer",
        f"Try again in {_RETRY_SECONDS} seconds; `social-assets doctor` says what is wrong.",
        retry_after=_RETRY_SECONDS,
    )
    return problem_response(problem, _id_of(request))


def _id_of(request: Request) -> str:
    return str(request.scope["state"][REQUEST_ID])
