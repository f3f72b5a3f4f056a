"""The application: dashboards in the browser, the API below /api/v1.

Belongs here: putting the parts together. Nothing is opened before the application starts, so that a
test or a tool can make it without a warehouse.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from social_assets.control.api_keys import ApiKeys
from social_assets.serving import own_pages
from social_assets.serving.api.openapi import describe
from social_assets.serving.api.router import api_routers
from social_assets.serving.asking.questions import Questions
from social_assets.serving.asking.warehouse import WarehouseThreads
from social_assets.serving.caching.cached_answers import CachedAnswers
from social_assets.serving.caching.kept_answers import KeptAnswers
from social_assets.serving.caching.shared_answers import SharedAnswers
from social_assets.serving.callers import KeyRing
from social_assets.serving.dashboards.assets import Assets
from social_assets.serving.dashboards.router import dashboards_router
from social_assets.serving.errors import add_error_handlers
from social_assets.serving.features.threads import OnlineFeatures
from social_assets.serving.figures import ServerFigures
from social_assets.serving.gate import ServingGate
from social_assets.serving.recommended.event_log import EventLog
from social_assets.serving.recommended.served_lists import ServedLists
from social_assets.serving.services import Services
from social_assets.serving.settings import ServeSettings
from social_assets.serving.store import Store
from social_assets.serving.webhooks.group_commit import GroupCommit


def create_app(settings: ServeSettings) -> FastAPI:
    """The application of a home. Raises ControlStoreError if the store of keys cannot be used."""
    warehouse = WarehouseThreads(settings.warehouse_threads)
    store = Store(settings.home)
    kept, figures = KeptAnswers(settings.cache_bytes), ServerFigures()
    online = OnlineFeatures(settings.home)
    events = GroupCommit(EventLog(settings.home))
    lists = ServedLists(warehouse, settings.most_lists)
    shared = None if settings.cache_url is None else SharedAnswers(settings.cache_url)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        events.start()
        yield
        await events.close()
        await lists.close()
        warehouse.close()
        online.close()
        if shared is not None:
            await shared.close()
        store.close()

    app = FastAPI(
        title="social-assets",
        description="Metrics, posts, accounts and recommendations of this installation.",
        version="1",
        lifespan=lifespan,
        # Both load scripts from other servers.
        docs_url=None,
        redoc_url=None,
    )
    questions = Questions(warehouse)
    app.state.services = Services(
        settings, warehouse, questions, store, kept, figures, events, lists, online
    )
    for router in api_routers():
        app.include_router(router)
    app.include_router(own_pages.router)
    app.include_router(dashboards_router(Assets(settings.home.path / "serving")))
    add_error_handlers(app)
    describe(app)
    keys = KeyRing(ApiKeys(store.engine), store)
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
