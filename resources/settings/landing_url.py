"""Where producers put files, besides the landing folder of the home.

Belongs here: reading the setting. What is there is read by `social_assets.pipeline.landing_store`.
"""

from __future__ import annotations

import os

from resources.settings.secret_urls import UrlSettingError, check_lake_url

LANDING_URL = "SOCIAL_ASSETS_LANDING_URL"
"""Environment variable: an object store's URL, below which each stream has a folder."""


def landing_url() -> str | None:
    """The root of the objects to load; None if there are none. Raises UrlSettingError."""
    root = os.environ.get(LANDING_URL)
    if not root:
        return None
    check_lake_url(LANDING_URL, root)
    if "://" not in root:
        raise UrlSettingError(
            f"{LANDING_URL} is no URL like s3://bucket/landing; files of a folder are loaded from"
            " landing in the home"
        )
    return root.rstrip("/")
