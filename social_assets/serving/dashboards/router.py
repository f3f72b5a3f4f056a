"""The paths of the dashboards: pages, their files, the data of tiles, saved dashboards.

Belongs here: what a path answers. Signing in belongs to `gate`, keeping answers to `caching`.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

from fastapi import APIRouter, Body, Depends, Header, Request, Response
from fastapi.responses import RedirectResponse

from social_assets.control.dashboards import SavedDashboard, SavedDashboards
from social_assets.control.errors import ChangedMeanwhileError, UnknownDashboardError
from social_assets.metrics.ask import ask
from social_assets.metrics.planner.question import QuestionError
from social_assets.serving.charts.tile import Tile
from social_assets.serving.dashboards import page
from social_assets.serving.dashboards.asked import Asked, drilled, read_asked
from social_assets.serving.dashboards.assets import Assets
from social_assets.serving.dashboards.composed import (
    ComposedError,
    metric_choices,
    read_dashboard,
    read_tile,
)
from social_assets.serving.dashboards.dashboard import AnyTile, Dashboard
from social_assets.serving.dashboards.health.open_stores import open_stores
from social_assets.serving.dashboards.health.tile import HealthSource, HealthTile
from social_assets.serving.dashboards.options import Option, options_of, with_post_texts
from social_assets.serving.dashboards.registry import dashboard, dashboards
from social_assets.serving.dashboards.search_page import search_page
from social_assets.serving.dashboards.tile_answer import (
    TileAnswer,
    answer_of,
    document,
    health_answer_of,
    questions_of,
    to_csv,
)
from social_assets.serving.problems import ProblemError
from social_assets.serving.requested import Requested, requested

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

T = TypeVar("T")

DATA = "/api/v1/dashboards"
_LONGEST_TITLE = 200
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_IMMUTABLE = "public, max-age=31536000, immutable"


def dashboards_router(assets: Assets) -> APIRouter:
    """The paths. `assets` are the files of the pages."""
    router = APIRouter(include_in_schema=False)
    _add_pages(router, assets)
    _add_assets(router, assets)
    _add_data(router)
    _add_saved(router)
    return router


def _everything(asked: Annotated[Requested, Depends(requested)]) -> Requested:
    """A request of a caller who sees all accounts: dashboards show sums over them."""
    if not asked.known_caller.sees_all:
        raise ProblemError(
            403,
            "dashboards are of all accounts, and this key sees only some",
            "Ask /api/v1/query, or use a key that sees all accounts.",
        )
    return asked


SeesAll = Annotated[Requested, Depends(_everything)]


def _add_pages(router: APIRouter, assets: Assets) -> None:
    def shell(asked: Requested) -> page.Shell:
        return page.Shell(assets.digest, asked.services.settings.refresh_seconds)

    @router.get("/")
    async def index(asked: SeesAll) -> Response:
        found = await asked.services.store.run(_store(asked).list)
        return _page(page.index_page(shell(asked), dashboards(), found))

    @router.get("/dashboards")
    async def listed() -> Response:
        # People shorten the address of a dashboard to find the others.
        return RedirectResponse("/", 308)

    @router.get("/search")
    async def search(asked: SeesAll) -> Response:
        return _page(search_page(shell(asked)))

    @router.get("/dashboards/new")
    async def new(asked: SeesAll) -> Response:
        return _page(page.builder_page(shell(asked), None))

    @router.get("/dashboards/saved/{id_}")
    async def saved(id_: str, asked: SeesAll) -> Response:
        found = await _saved(asked, id_)
        composed = read_dashboard(found.specification)
        urls = [f"{DATA}/composed?{each.parameters()}" for each in composed.tiles]
        declared = composed.dashboard(found.id, found.title)
        return _page(page.dashboard_page(shell(asked), declared, urls, found))

    @router.get("/dashboards/saved/{id_}/edit")
    async def edit(id_: str, asked: SeesAll) -> Response:
        return _page(page.builder_page(shell(asked), await _saved(asked, id_)))

    @router.get("/dashboards/{name}")
    async def declared(name: str, asked: SeesAll) -> Response:
        found = _declared(name)
        urls = [f"{DATA}/tiles/{found.name}/{tile.name}?" for tile in found.tiles]
        return _page(page.dashboard_page(shell(asked), found, urls, None))


def _add_assets(router: APIRouter, assets: Assets) -> None:
    @router.get("/dashboards/assets/{digest}/{name}")
    def asset(digest: str, name: str, request: Request) -> Response:
        found = assets.find(name)
        if found is None:
            raise ProblemError(404, f"the pages have no file {name!r}", "Load the page again.")
        headers = {
            "Cache-Control": _IMMUTABLE if digest == assets.digest else "no-cache",
            "Vary": "Accept-Encoding",
        }
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Response(found.compressed, headers=headers, media_type=found.media_type)
        return Response(found.content, headers=headers, media_type=found.media_type)


def _add_data(router: APIRouter) -> None:
    """Below the API's prefix, where equal questions of all pages have one answer for a minute."""

    @router.get(f"{DATA}/tiles/{{name}}/{{tile_name}}")
    async def tile(name: str, tile_name: str, request: Request, asked: SeesAll) -> Response:
        found = _declared(name)
        declared = found.tile(tile_name)
        if declared is None:
            known = ", ".join(each.name for each in found.tiles)
            raise ProblemError(404, f"{name} has no tile {tile_name!r}", f"It has {known}.")
        return await _answered(asked, declared, _parameters(request, found), request)

    @router.get(f"{DATA}/composed")
    async def composed(request: Request, asked: SeesAll) -> Response:
        try:
            made = read_tile(request.query_params.multi_items())
        except ComposedError as error:
            raise ProblemError(400, str(error), "Change the tile in the builder.") from None
        return await _answered(asked, made, _parameters(request, None), request)

    @router.get(f"{DATA}/metrics")
    async def metrics(asked: SeesAll) -> Response:
        del asked
        return Response(json.dumps(metric_choices()), media_type="application/json")

    @router.get(f"{DATA}/options/{{name}}/{{dimension}}")
    async def options(name: str, dimension: str, request: Request, asked: SeesAll) -> Response:
        if name == "saved":
            kept = await _saved(asked, request.query_params.get("id", ""))
            found = read_dashboard(kept.specification).dashboard(kept.id, kept.title)
        else:
            found = _declared(name)
        if all(each.dimension != dimension for each in found.filters):
            raise ProblemError(404, f"{name} has no filter {dimension!r}", "Load the page again.")
        parameters = _parameters(request, found)

        def work(client: Client) -> list[Option]:
            listed = options_of(found, dimension, parameters, lambda q: ask(client, q))
            return with_post_texts(client, listed) if dimension == "post" else listed

        listed = [dataclasses.asdict(each) for each in await _run(asked, work)]
        return Response(json.dumps(listed, ensure_ascii=False), media_type="application/json")


def _add_saved(router: APIRouter) -> None:
    @router.post("/dashboards/saved")
    async def create(body: Annotated[dict[str, object], Body()], asked: SeesAll) -> Response:
        _check_writer(asked)
        title, specification = _read_body(body)
        owner, store = asked.known_caller.name, _store(asked)
        found = await asked.services.store.run(lambda: store.create(title, owner, specification))
        return _stored(found, 201)

    @router.put("/dashboards/saved/{id_}")
    async def save(
        id_: str,
        body: Annotated[dict[str, object], Body()],
        if_match: Annotated[str, Header()],
        asked: SeesAll,
    ) -> Response:
        _check_writer(asked)
        title, specification = _read_body(body)
        if not re.fullmatch('"?[0-9]{1,9}"?', if_match):
            raise ProblemError(400, "If-Match is no version", "Send the version that was read.")
        version, store = int(if_match.strip('"')), _store(asked)
        try:
            found = await asked.services.store.run(
                lambda: store.save(id_, version, title, specification)
            )
        except ChangedMeanwhileError as error:
            raise ProblemError(
                412,
                f"somebody else saved version {error.stored_version} of this dashboard meanwhile",
                "Save yours as a new dashboard, or load the page again and repeat the change.",
            ) from None
        except UnknownDashboardError as error:
            raise _gone(error) from None
        return _stored(found, 200)

    @router.delete("/dashboards/saved/{id_}")
    async def delete(id_: str, asked: SeesAll) -> Response:
        _check_writer(asked)
        store = _store(asked)
        try:
            await asked.services.store.run(lambda: store.delete(id_))
        except UnknownDashboardError as error:
            raise _gone(error) from None
        return Response(status_code=204)


async def _answered(
    asked: Requested, tile: AnyTile, parameters: Asked, request: Request
) -> Response:
    if parameters.drill and isinstance(tile, Tile) and tile.drill:
        tile = drilled(tile)
    answer = await _answer(asked, tile, parameters)
    if request.query_params.get("format") == "csv":
        return Response(to_csv(answer), media_type="text/csv")
    content = json.dumps(document(answer), ensure_ascii=False, allow_nan=False)
    return Response(content, media_type="application/json")


async def _answer(asked: Requested, tile: AnyTile, parameters: Asked) -> TileAnswer:
    if isinstance(tile, HealthTile):
        home = asked.services.settings.home

        def work(client: Client) -> TileAnswer:
            start, end = parameters.start, parameters.end
            source = HealthSource(client, lambda: open_stores(home), start, end)
            return health_answer_of(tile, parameters, source)

        return await _run(asked, work)
    try:
        questions = questions_of(tile, parameters)
        # In turn: the second one mostly finds what the first has read.
        answers = {each: await asked.services.questions.ask(each, asked.id) for each in questions}
    except QuestionError as error:
        raise _unanswerable(error) from None
    return answer_of(tile, parameters, answers.__getitem__)


async def _run(asked: Requested, work: Callable[[Client], T]) -> T:
    """The result of some work; a question that has no answer is the caller's error."""
    try:
        return await asked.services.warehouse.run(work, asked.id)
    except QuestionError as error:
        raise _unanswerable(error) from None


def _parameters(request: Request, found: Dashboard | None) -> Asked:
    try:
        return read_asked(request.query_params.multi_items(), found, datetime.now(UTC))
    except QuestionError as error:
        raise _unanswerable(error) from None


def _unanswerable(error: QuestionError) -> ProblemError:
    remedy = "Change the range, the grain or the filter."
    return ProblemError(400, str(error), remedy, parameter=error.parameter)


def _declared(name: str) -> Dashboard:
    found = dashboard(name)
    if found is None:
        known = ", ".join(each.name for each in dashboards())
        raise ProblemError(404, f"no dashboard is named {name!r}", f"There are {known}.")
    return found


def _store(asked: Requested) -> SavedDashboards:
    return SavedDashboards(asked.services.store.engine)


async def _saved(asked: Requested, id_: str) -> SavedDashboard:
    store = _store(asked)
    try:
        return await asked.services.store.run(lambda: store.get(id_))
    except UnknownDashboardError as error:
        raise _gone(error) from None


def _check_writer(asked: Requested) -> None:
    if not asked.known_caller.may_write:
        raise ProblemError(403, "this key may only read", "Use a key with the role write.")


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
