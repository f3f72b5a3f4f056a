"""Where the lake is.

Belongs here: reading the setting. What is in the lake belongs to `social_assets.lake`.
"""

from __future__ import annotations

import os

from resources.settings.home import Home
from resources.settings.secret_urls import check_lake_url

LAKE_URL = "SOCIAL_ASSETS_LAKE_URL"
"""Environment variable: the lake's root, a folder or an object store's URL; default in the home."""


def lake_root(home: Home) -> str:
    """The lake's root: from the environment, or else in the home. Raises UrlSettingError."""
    root = os.environ.get(LAKE_URL)
    if not root:
        return str(home.lake)
    check_lake_url(LAKE_URL, root)
    return root
