"""The home is accessible only by its user: created with mode 0700; an older one is corrected.

Below such a folder, the modes of files do not matter; secrets have 0600 all the same. Belongs here:
the home's mode, and what is too open.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from resources.settings.home import Home

_OTHERS = 0o077
_OTHERS_WRITE = 0o022


def make_private(home: Home) -> None:
    """Make the home's folder for this user alone. A folder of another user is left as it is."""
    home.path.parent.mkdir(parents=True, exist_ok=True)
    home.path.mkdir(mode=0o700, exist_ok=True)
    found = home.path.stat()
    if found.st_uid == os.getuid() and found.st_mode & _OTHERS:
        home.path.chmod(stat.S_IMODE(found.st_mode) & ~_OTHERS)


def is_open_to_others(path: Path) -> bool:
    """Whether other users may read, write or enter it; False if it does not exist."""
    return path.exists() and bool(path.stat().st_mode & _OTHERS)


def can_be_replaced_by_others(path: Path) -> bool:
    """Whether other users may rename what lies in this folder: writable, and not sticky."""
    mode = path.stat().st_mode
    return bool(mode & _OTHERS_WRITE) and not mode & stat.S_ISVTX
