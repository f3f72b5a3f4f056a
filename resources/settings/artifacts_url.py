"""Where published models are kept for all homes.

Belongs here: reading the setting. What is in the store belongs to `social_assets.lake.artifacts`.
"""

from __future__ import annotations

import os

from resources.settings.secret_urls import UrlSettingError, check_lake_url

ARTIFACTS_URL = "SOCIAL_ASSETS_ARTIFACTS_URL"
"""Environment variable: an object store's URL for published models. Unset: the home alone."""


def artifacts_url() -> str | None:
    """The root of the store of published models; None if the home alone has them.

    Raises UrlSettingError.
    """
    root = os.environ.get(ARTIFACTS_URL)
    if not root:
        return None
    check_lake_url(ARTIFACTS_URL, root)
    if "://" not in root:
        raise UrlSettingError(
            f"{ARTIFACTS_URL} is no URL like s3://bucket/artifacts; unset it to keep published"
            " models in the home"
        )
    return root.rstrip("/")
