"""All paths below /api/v1."""

from __future__ import annotations

from fastapi import APIRouter

from social_assets.serving.api import health


def api_router() -> APIRouter:
    """The paths, each module's own."""
    router = APIRouter(prefix="/api/v1")
    router.include_router(health.router)
    return router
