"""The object stores that homes share: published models, and files that producers deliver.

Belongs here: reading the settings. What is in the stores belongs to `lake.artifacts` and
`pipeline.landing_store`. The roots of lake and pictures, which may be folders, have modules of
their own.
"""

from __future__ import annotations

import os

from resources.settings.secret_urls import UrlSettingError, check_lake_url

ARTIFACTS_URL = "SOCIAL_ASSETS_ARTIFACTS_URL"
"""Environment variable: an object store's URL for published models. Unset: the home alone."""

LANDING_URL = "SOCIAL_ASSETS_LANDING_URL"
"""Environment variable: an object store's URL, below which each stream has a folder."""


def artifacts_url() -> str | None:
    """The root of the store of published models; None if the home alone has them.

    Raises UrlSettingError.
    """
    return _bucket(ARTIFACTS_URL, "published models are in the home without it")


def landing_url() -> str | None:
    """The root of the objects to load; None if there are none. Raises UrlSettingError."""
    return _bucket(LANDING_URL, "files of a folder are loaded from landing in the home")


def _bucket(variable: str, otherwise: str) -> str | None:
    root = os.environ.get(variable)
    if not root:
        return None
    check_lake_url(variable, root)
    if "://" not in root:
        raise UrlSettingError(f"{variable} is no URL like s3://bucket/folder; {otherwise}")
    return root.rstrip("/")
