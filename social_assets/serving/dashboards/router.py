"""The paths of the dashboards: pages, their files, the data of tiles, saved dashboards.

Belongs here: what a path answers. Signing in belongs to the gate, keeping answers to the backend.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, TypeVar

from fastapi import APIRouter, Body, Header, Request, Response

from social_assets.control.dashboards import SavedDashboard
from social_assets.control.errors import ChangedMeanwhileError, UnknownDashboardError
from social_assets.metrics.ask import ask
from social_assets.metrics.planner.question import QuestionError
from social_assets.serving.charts.tile import Tile
from social_assets.serving.dashboards import page
from social_assets.serving.dashboards.asked import Asked, drilled, read_asked
from social_assets.serving.dashboards.assets import Assets
from social_assets.serving.dashboards.backend import Backend
from social_assets.serving.dashboards.composed import (
    ComposedError,
    metric_choices,
    read_dashboard,
    read_tile,
)
from social_assets.serving.dashboards.dashboard import AnyTile, Dashboard
from social_assets.serving.dashboards.health.tile import HealthSource, HealthTile
from social_assets.serving.dashboards.options import options_of, with_post_texts
from social_assets.serving.dashboards.registry import dashboard, dashboards
from social_assets.serving.dashboards.tile_answer import (
    TileAnswer,
    answer_of,
    document,
    health_answer_of,
    to_csv,
)
from social_assets.serving.problems import ProblemError

T = TypeVar("T")

_PERSON = "person"
_LONGEST_TITLE = 200
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_IMMUTABLE = "public, max-age=31536000, immutable"


def dashboards_router(backend: Backend) -> APIRouter:
    """The paths."""
    router = APIRouter(include_in_schema=False)
    assets = Assets(backend.asset_folder)
    _add_pages(router, backend, assets)
    _add_data(router, backend)
    _add_saved(router, backend)
    return router


def _add_pages(router: APIRouter, backend: Backend, assets: Assets) -> None:
    def shell() -> page.Shell:
        return page.Shell(assets.digest, backend.refresh_seconds)

    @router.get("/")
    async def index(request: Request) -> Response:
        del request
        found = await backend.run_store(backend.saved().list)
        return _page(page.index_page(shell(), dashboards(), found))

    @router.get("/dashboards/new")
    async def new() -> Response:
        return _page(page.builder_page(shell(), None))

    @router.get("/dashboards/saved/{id_}")
    async def saved(id_: str) -> Response:
        found = await backend.run_store(lambda: _saved(backend, id_))
        composed = read_dashboard(found.specification)
        declared = composed.dashboard(found.id, found.title)
        urls = [f"/dashboards/data/composed?{each.parameters()}" for each in composed.tiles]
        return _page(page.dashboard_page(shell(), declared, urls, found))

    @router.get("/dashboards/saved/{id_}/edit")
    async def edit(id_: str) -> Response:
        return _page(
            page.builder_page(shell(), await backend.run_store(lambda: _saved(backend, id_)))
        )

    @router.get("/dashboards/assets/{digest}/{name}")
    def asset(digest: str, name: str, request: Request) -> Response:
        found = assets.find(name)
        if found is None:
            raise ProblemError(404, f"the pages have no file {name!r}", "Load the page again.")
        headers = {
            "Cache-Control": _IMMUTABLE if digest == assets.digest else "no-cache",
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
        }
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Response(found.compressed, headers=headers, media_type=found.media_type)
        return Response(found.content, headers=headers, media_type=found.media_type)

    @router.get("/dashboards/{name}")
    async def declared(name: str) -> Response:
        found = _declared(name)
        urls = [f"/dashboards/data/tiles/{found.name}/{tile.name}?" for tile in found.tiles]
        return _page(page.dashboard_page(shell(), found, urls, None))


def _add_data(router: APIRouter, backend: Backend) -> None:
    async def answered(request: Request, tile: AnyTile, asked: Asked) -> TileAnswer:
        return await _run(backend, request, lambda client: _answer(backend, client, tile, asked))

    @router.get("/dashboards/data/tiles/{name}/{tile_name}")
    async def tile(name: str, tile_name: str, request: Request) -> Response:
        found = _declared(name)
        asked = _asked(request, found)
        declared = found.tile(tile_name)
        if declared is None:
            known = ", ".join(each.name for each in found.tiles)
            raise ProblemError(404, f"{name} has no tile {tile_name!r}", f"It has {known}.")
        return _data(request, await answered(request, _shown(declared, asked), asked))

    @router.get("/dashboards/data/composed")
    async def composed(request: Request) -> Response:
        parameters = request.query_params.multi_items()
        try:
            made = read_tile(parameters)
        except ComposedError as error:
            raise ProblemError(400, str(error), "Change the tile in the builder.") from None
        asked = _asked(request, None)
        return _data(request, await answered(request, _shown(made, asked), asked))

    @router.get("/dashboards/data/metrics")
    async def metrics() -> Response:
        return Response(json.dumps(metric_choices()), media_type="application/json")

    @router.get("/dashboards/data/options/{name}/{dimension}")
    async def options(name: str, dimension: str, request: Request) -> Response:
        if name == "saved":
            found = await backend.run_store(
                lambda: _dashboard_of(_saved(backend, request.query_params.get("id", "")))
            )
        else:
            found = _declared(name)
        if all(each.dimension != dimension for each in found.filters):
            raise ProblemError(404, f"{name} has no filter {dimension!r}", "Load the page again.")
        asked = _asked(request, found)

        def work(client: object) -> list[dict[str, str]]:
            listed = options_of(found, dimension, asked, lambda q: ask(client, q))  # type: ignore[arg-type]
            if dimension == "post":
                listed = with_post_texts(client, listed)  # type: ignore[arg-type]
            return [{"value": each.value, "text": each.text} for each in listed]

        return Response(
            json.dumps(await _run(backend, request, work), ensure_ascii=False),
            media_type="application/json",
        )


def _add_saved(router: APIRouter, backend: Backend) -> None:
    @router.post("/dashboards/saved")
    async def create(body: Annotated[dict[str, object], Body()]) -> Response:
        title, specification = _read_body(body)
        found = await backend.run_store(
            lambda: backend.saved().create(title, _PERSON, specification)
        )
        return _stored(found, 201)

    @router.put("/dashboards/saved/{id_}")
    async def save(
        id_: str, body: Annotated[dict[str, object], Body()], if_match: Annotated[str, Header()]
    ) -> Response:
        title, specification = _read_body(body)
        if not if_match.strip('"').isdigit():
            raise ProblemError(400, "If-Match is no version", "Send the version that was read.")
        version = int(if_match.strip('"'))
        try:
            found = await backend.run_store(
                lambda: backend.saved().save(id_, version, title, specification)
            )
        except ChangedMeanwhileError as error:
            raise ProblemError(
                HTTPStatus.PRECONDITION_FAILED,
                f"somebody else saved version {error.stored_version} of this dashboard meanwhile",
                "Save yours as a new dashboard, or load the page again and repeat the change.",
            ) from None
        except UnknownDashboardError as error:
            raise _gone(error) from None
        return _stored(found, 200)

    @router.delete("/dashboards/saved/{id_}")
    async def delete(id_: str) -> Response:
        try:
            await backend.run_store(lambda: backend.saved().delete(id_))
        except UnknownDashboardError as error:
            raise _gone(error) from None
        return Response(status_code=204)


async def _run(backend: Backend, request: Request, work: Callable[..., T]) -> T:
    """The result of some work; a question that has no answer is the caller's error."""
    kept = f"{request.url.path}?{request.url.query}"
    try:
        return await backend.run(request, work, kept)
    except QuestionError as error:
        raise ProblemError(
            400, str(error), "Change the range, the grain or the filter.", parameter=error.parameter
        ) from None


def _answer(backend: Backend, client: object, tile: AnyTile, asked: Asked) -> TileAnswer:
    if isinstance(tile, HealthTile):
        source = HealthSource(client, backend.stores, asked.start, asked.end)  # type: ignore[arg-type]
        return health_answer_of(tile, asked, source)
    return answer_of(tile, asked, lambda question: ask(client, question))  # type: ignore[arg-type]


def _shown(tile: AnyTile, asked: Asked) -> AnyTile:
    """The tile, or the list of members behind a group of it."""
    return drilled(tile) if asked.drill and isinstance(tile, Tile) and tile.drill else tile


def _asked(request: Request, found: Dashboard | None) -> Asked:
    try:
        return read_asked(request.query_params.multi_items(), found, datetime.now(UTC))
    except QuestionError as error:
        raise ProblemError(
            400, str(error), "Change the range, the grain or the filter.", parameter=error.parameter
        ) from None


def _data(request: Request, answer: TileAnswer) -> Response:
    if request.query_params.get("format") == "csv":
        name = f"{answer.tile.name}_{answer.asked.start:%Y-%m-%d}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(to_csv(answer), headers=headers, media_type="text/csv")
    content = json.dumps(document(answer), ensure_ascii=False, allow_nan=False).encode()
    etag = f'"{hashlib.sha256(content).hexdigest()[:24]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type="application/json")


def _declared(name: str) -> Dashboard:
    found = dashboard(name)
    if found is None:
        known = ", ".join(each.name for each in dashboards())
        raise ProblemError(404, f"no dashboard is named {name!r}", f"There are {known}.")
    return found


def _saved(backend: Backend, id_: str) -> SavedDashboard:
    try:
        return backend.saved().get(id_)
    except UnknownDashboardError as error:
        raise _gone(error) from None


def _dashboard_of(saved: SavedDashboard) -> Dashboard:
    return read_dashboard(saved.specification).dashboard(saved.id, saved.title)


def _gone(error: UnknownDashboardError) -> ProblemError:
    return ProblemError(404, str(error), "The list of dashboards is at /.")


def _read_body(body: dict[str, object]) -> tuple[str, str]:
    title = body.get("title")
    if not isinstance(title, str) or not title.strip() or len(title) > _LONGEST_TITLE:
        raise ProblemError(
            400, "the dashboard has no name", f"Give it one of 1 to {_LONGEST_TITLE} characters."
        )
    if not title.strip().isprintable():
        raise ProblemError(400, "the name has characters that can't be shown", "Remove them.")
    try:
        specification = read_dashboard(json.dumps(body.get("dashboard"))).model_dump_json()
    except ComposedError as error:
        raise ProblemError(400, str(error), "Change the tile that it names.") from None
    return title.strip(), specification


def _stored(found: SavedDashboard, status: int) -> Response:
    content = json.dumps({"id": found.id, "version": found.version, "title": found.title})
    headers = {"ETag": f'"{found.version}"', "Location": f"/dashboards/saved/{found.id}"}
    return Response(content, status, headers, "application/json")


def _page(content: str) -> Response:
    headers = {
        "Content-Security-Policy": POLICY,
        "Cache-Control": "no-cache",
        "Referrer-Policy": "same-origin",
    }
    return Response(content, headers=headers, media_type="text/html")
