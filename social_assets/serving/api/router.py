"""All paths below /api/v1: each module has a router of its own."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter

from social_assets.serving.api import (
    accounts,
    health,
    metrics,
    posts,
    profiles,
    query,
    schedules,
    similar_items,
)
from social_assets.serving.features import api as features
from social_assets.serving.privacy import api as privacy
from social_assets.serving.recommended import reasons, received, recommendations
from social_assets.serving.search import api as search


def api_routers() -> Sequence[APIRouter]:
    """The routers, in the order of the documentation."""
    return [
        module.router
        for module in (
            *(metrics, query, posts, accounts, profiles, features, search),
            *(recommendations, reasons, received, similar_items, schedules, privacy, health),
        )
    ]
