"""Where the files of pictures are.

Belongs here: reading the setting. What is in the store belongs to `social_assets.lake.media`.
"""

from __future__ import annotations

import os

from resources.settings.home import Home
from resources.settings.lake_root import LAKE_URL
from resources.settings.secret_urls import check_lake_url

MEDIA_URL = "SOCIAL_ASSETS_MEDIA_URL"
"""Environment variable: a folder or an object store's URL for pictures. Default: `media` in the
home, or below the lake's root if SOCIAL_ASSETS_LAKE_URL names one."""


def media_root(home: Home) -> str:
    """The root of the store of pictures. Raises UrlSettingError."""
    for variable, below in ((MEDIA_URL, ""), (LAKE_URL, "/media")):
        if root := os.environ.get(variable):
            check_lake_url(variable, root)
            return root.rstrip("/") + below
    return str(home.media)
