"""Writes a file's path as text that a run's config can hold, and reads it.

Belongs here: only these two functions. A path that is UTF-8 is written as it is. The config of a
run is stored as UTF-8, so any other path is written as a `file:` URL, with its bytes as `%E9`.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote_to_bytes

from social_assets.ingest.records import shown_path

_URL = "file://"


def config_text(path: Path) -> str:
    """The path as text."""
    return str(path) if shown_path(path) == str(path) else path.absolute().as_uri()


def path_of(text: str) -> Path:
    """The path that a text names."""
    if not text.startswith(_URL):
        return Path(text)
    return Path(os.fsdecode(unquote_to_bytes(text.removeprefix(_URL))))
